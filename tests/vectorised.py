"""A vectorised function as a project of a user's own may have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyflink.table.udf import udf

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["doubled"]


@udf(result_type="DOUBLE", func_type="pandas")  # type: ignore[untyped-decorator]  # pyflink ships no types
def doubled(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return each value twice over."""
    return values * 2
