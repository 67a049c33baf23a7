"""A topic's records as a table."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import json as arrow_json

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    import pandas as pd

__all__ = ["read_table"]


def read_table(
    bootstrap: str, topic: str, fields: Mapping[str, pa.DataType], without: Container[tuple[int, int]] = ()
) -> pd.DataFrame:
    """Read these fields of a topic's JSON records, oldest first; other fields are left out.

    So are records whose partition and offset are in `without`.

    Raises KafkaError where no broker answers or the topic is missing or has other records.
    """
    schema = pa.schema([*fields.items()])
    records = (r for r in topics.read(bootstrap, topic) if (r.partition, r.offset) not in without)
    values = [record.value for record in records if record.value]
    if not values:
        return schema.empty_table().to_pandas()
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        return arrow_json.read_json(BytesIO(b"\n".join(values)), parse_options=options).to_pandas()
    except pa.ArrowInvalid as error:
        raise KafkaError(
            f"topic `{topic}` has records that are not the demo's: {error}",
            fixes=(f"show them: millstream peek {topic}", "start over: millstream demo"),
        ) from error
