"""What runs inside Flink's Python workers: score batches of rows with an ONNX model, and detect drift.

`scoring` loads a model and scores a batch. `distributions` counts columns and compares the counts. `drift` compares the
windows of a monitored model with its reference, and opens alarms. These three are functions of numpy arrays and import
neither PyFlink nor pandas; `flink` has the functions that PyFlink calls.
"""
