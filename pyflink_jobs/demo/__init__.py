"""The reference pipeline's data and report: real flights from New York."""
