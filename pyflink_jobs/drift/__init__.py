"""Drift on the client side: reference profiles are built here, and results are shown."""
