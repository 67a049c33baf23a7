"""Measure a job on this machine: which options suit it, and what it takes to run it elsewhere."""
