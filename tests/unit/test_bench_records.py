"""The benches' records are the same in both formats."""

from __future__ import annotations

import json

import numpy as np

from bench import avro
from bench.records import avro_records, json_records


def test_avro_has_the_values_of_json() -> None:
    in_json = [json.loads(record) for record in json_records(9_990, 100, 1_700_000_000_000_000)]
    in_avro = avro_records(9_990, 100, 1_700_000_000_000_000)
    assert in_avro == [avro.encode(avro.EVENT, record) for record in in_json]
    decoded = avro.decode(avro.EVENT, in_avro[17])
    assert decoded["id"] == 10_007
    assert decoded["x15"] == float(np.float32(in_json[17]["x15"]))
