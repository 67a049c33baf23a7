"""What happens to the SQL of a source or of a call."""
