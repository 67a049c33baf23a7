"""The benches: `python -m bench throughput`, `latency` or `drift`; without a name, all of them."""
