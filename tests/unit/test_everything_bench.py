"""The table of aims: which figures are in it, and what counts as met."""

from __future__ import annotations

from typing import Any

import pytest

from bench.everything import aims

RATIOS = {"sql_rate": 1.2, "loop_rate": 0.5, "java_rate": None}
PEERS = {"medians": dict.fromkeys(("mlp", "gbm", "monitored"), RATIOS)}


@pytest.fixture
def found() -> dict[str, Any]:
    return {
        **dict.fromkeys(("peers", "peers, Avro", "peers, exactly once"), PEERS),
        "latency": {
            "runs": [
                {"way": way, "p50": p50, "p99": p99}
                for way, p50, p99 in (("none", 8, 20), ("rows", 10, 36), ("java", 12, 30), ("kafka_streams", 9, 40))
            ]
        },
        "startup": {"runs": [{"command": c, "seconds": [9, 8, 1]} for c in ("help", "check", "small", "flights")]},
        "flights": {
            "medians": {
                "monitored, 1 slots": {"steady": 1000.0},
                "monitored, 2 slots": {"steady": None},
                "sql, 1 slots": {"steady": 1250.0},
            }
        },
        "scaling": {"lines": [{"job": "mlp", "over": "slots", "growth": [-0.2, float("nan")]}]},
    }


def test_an_aim_is_met_missed_or_open(found: dict[str, Any]) -> None:
    rows = {what: (aim, value, met) for what, aim, value, met in aims(found)}
    assert rows["JSON: mlp, of Flink SQL without a model"] == ("0.90", "1.20", "yes")
    assert rows["Avro: gbm, of a plain loop"] == ("0.90", "0.50", "no")
    assert rows["Avro: mlp, of Flink Java in micro-batches"] == ("1.00", "-", "-")
    assert rows["latency, median, ms"] == ("10", "10", "yes")
    assert rows["latency, p99, ms"] == ("35", "36", "no")
    assert rows["latency, p50, of the job without a model"] == ("1.50", "1.25", "yes")
    assert rows["latency, p99, of Flink Java, a row a call"] == ("1.00", "1.20", "no")
    assert rows["small job: first prediction, s"] == ("8.0", "8.0", "yes")
    assert rows["--help, s"] == ("0.3", "8.0", "no")
    assert rows["flights, monitored, of their SQL without a model"] == ("0.90", "0.80", "no")
    assert rows["flights, monitored, two slots, of one"] == ("1.70", "-", "-")
    assert rows["mlp: growth per doubling of slots"] == ("+5%", "-", "-")


def test_the_worst_doubling_counts(found: dict[str, Any]) -> None:
    found["scaling"]["lines"][0]["growth"] = [-0.2, 0.07]
    assert ("mlp: growth per doubling of slots", "+5%", "+7%", "no") in [*aims(found)]
