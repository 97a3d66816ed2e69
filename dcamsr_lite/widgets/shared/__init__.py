"""What all explorers share: widget, page, picture, packing."""
