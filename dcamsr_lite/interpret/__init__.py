"""Look into a network and change what it sees: record, intervene, attribute."""
