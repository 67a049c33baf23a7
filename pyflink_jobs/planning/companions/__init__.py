"""What a model adds to a job beside its scores."""
