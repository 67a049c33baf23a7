"""What runs inside Flink's Python workers: load an ONNX model and score batches of rows.

The core takes and gives numpy arrays and imports neither pyflink nor pandas; those named `flink` do.
"""
