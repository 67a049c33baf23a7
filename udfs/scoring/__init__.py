"""Load a model, score a batch."""
