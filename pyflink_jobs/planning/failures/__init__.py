"""Expressions that end a job at some values: which they are, and where in SQL."""
