"""ONNX models as bytes: the same each time, and readable by the oldest ONNX Runtime that Millstream supports."""

from __future__ import annotations

import onnx

__all__ = ["onnx_bytes"]

IR_VERSION = 10  # what ONNX Runtime 1.20 reads


def onnx_bytes(model: onnx.ModelProto) -> bytes:
    """Return the file of a model whose inputs and outputs all begin with the batch dimension."""
    for tensor in [*model.graph.input, *model.graph.output]:
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"  # the converter says 1 of labels, which is wrong
    operator_sets = sorted(model.opset_import, key=lambda operators: operators.domain)  # the converter's order varies
    del model.opset_import[:]
    model.opset_import.extend(operator_sets)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
