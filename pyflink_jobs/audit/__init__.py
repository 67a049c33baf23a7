"""The audit: each record of a source was scored, quarantined, filtered by the query, or is in flight."""
