"""Load a model and score batches of rows with it."""
