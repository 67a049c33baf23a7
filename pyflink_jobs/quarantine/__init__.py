"""Quarantine on the client side: what could not be scored is read and counted."""
