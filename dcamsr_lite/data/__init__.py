"""From files and arrays to pairs of a reference and a target."""
