"""Inputs and outputs of an ONNX file as findings print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from udfs.scoring.signature import Tensor

__all__ = ["describe", "family", "shape_text"]


def describe(tensor: Tensor, shown: Path) -> str:
    """Return a tensor with its shape and dtype; `shown` is the file's path as findings print it."""
    return f'{shown}: "{tensor.name}", shape {shape_text(tensor)}, {tensor.dtype}'


def shape_text(tensor: Tensor) -> str:
    """Return a shape such as "[batch, 4]"; a first dimension without a name is the batch."""
    parts = [str(size or ("batch" if place == 0 else "?")) for place, size in enumerate(tensor.shape)]
    return f"[{', '.join(parts)}]"


def family(sql_type: str) -> str:
    """Return STRING for any text type, and every other type as it is."""
    return "STRING" if sql_type.startswith(("VARCHAR", "CHAR", "STRING")) else sql_type
