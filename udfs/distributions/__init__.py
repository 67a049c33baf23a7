"""Counts of columns in bins or categories, and the distances between two samples from their counts."""
