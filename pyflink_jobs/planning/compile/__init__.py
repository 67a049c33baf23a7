"""Load into Flink's catalog, plan, explain, name states."""
