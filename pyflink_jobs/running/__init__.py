"""Flink on this machine: environments, jobs, progress."""
