"""The audit: every record that came in was scored, quarantined, filtered by the query, or is in flight."""
