"""Calls in SQL that end a job at some values: which they are, where they are, and what to write in their place."""
