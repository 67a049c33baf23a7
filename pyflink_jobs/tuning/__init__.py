"""Measure a job on this machine: the options that suit it, and the resources that it needs elsewhere."""
