"""The benches: `python -m bench throughput`, `python -m bench latency`, `python -m bench` for both."""
