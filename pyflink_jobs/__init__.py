"""Millstream's client side: everything that happens before a job is on the cluster."""
