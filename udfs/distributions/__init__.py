"""Binned distributions and the distances between them."""
