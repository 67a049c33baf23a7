"""Flink's catalog, functions and errors, as planning uses them."""
