"""What is particular to a kind of source or sink."""
