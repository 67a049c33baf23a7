"""What several unit tests share."""

from __future__ import annotations

import pytest


@pytest.fixture
def pandas_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have PyFlink's own ways between Arrow and pandas when a test begins, and after it."""
    from pyflink.fn_execution.coders import coder_impl
    from pyflink.table.utils import arrow_to_pandas, pandas_to_arrow

    monkeypatch.setattr(coder_impl, "arrow_to_pandas", arrow_to_pandas)
    monkeypatch.setattr(coder_impl, "pandas_to_arrow", pandas_to_arrow)
