"""Small compiled plans, written as Flink writes them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from pyflink_jobs.planning.compile.compiled_plan import Plan

__all__ = ["EVENTS", "SCORED", "calc", "kafka", "over", "plan", "python_group", "sink", "source", "table_function"]

EVENTS, SCORED = "kafka localhost:9092 events", "kafka localhost:9092 scored"


def source(*columns: str, table: str = "events", number: int = 1) -> dict[str, Any]:
    """Make a source of a table."""
    held = {"table": {"identifier": f"`default_catalog`.`default_database`.`{table}`"}}
    return _node(number, "table-source-scan_2", columns, scanTableSource=held)


def calc(number: int, *columns: str, projection: str = "") -> dict[str, Any]:
    """Make an operator without state."""
    return _node(number, "calc_1", columns, projection=projection)


def over(number: int, *columns: str, days: int = 1) -> dict[str, Any]:
    """Make an operator that counts the rows of the last days."""
    return _node(number, "over-aggregate_1", columns, overSpec={"days": days})


def python_group(number: int, *columns: str) -> dict[str, Any]:
    """Make an operator whose state is in Python, as drift's was."""
    return _node(number, "python-group-aggregate_1", columns, aggCalls=[{"catalogName": "`c`.`d`.`follow_m_1`"}])


def table_function(number: int, *columns: str, call: dict[str, str]) -> dict[str, Any]:
    """Make an operator that makes a table of a table by a function of the job, or of Flink's own."""
    return _node(number, "process-table-function_1", columns, uid="first", functionCall=call)


def sink(number: int, *columns: str, table: str = "scored") -> dict[str, Any]:
    """Make a sink into a table."""
    held = {"table": {"identifier": f"`default_catalog`.`default_database`.`{table}`"}}
    return _node(number, "sink_2", columns, dynamicTableSink=held)


def plan(*nodes: dict[str, Any], events: str = EVENTS) -> Plan:
    """Make a plan whose operators read each the one before it."""
    pairs = pairwise(nodes)
    edges = [{"source": one["id"], "target": other["id"]} for one, other in pairs]
    text = json.dumps({"flinkVersion": "2.3", "nodes": nodes, "edges": edges})
    tables = {"events": events, "scored": SCORED}
    made = Plan(text, tables, {})
    names = {number: operator.type for number, operator in made.operators.items() if operator.keeps_state}
    return Plan(text, tables, {}, names)


def kafka(topic: str) -> str:
    """Say where a table of a topic is."""
    return f"kafka localhost:9092 {topic}"


def _node(number: int, kind: str, columns: tuple[str, ...], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    fields = [{"name": name, "fieldType": "BIGINT"} for name in columns]
    return {
        "id": number,
        "type": f"stream-exec-{kind}",
        "outputType": {"type": "ROW", "fields": fields},
        "inputProperties": [],
        "description": f"{kind}({', '.join(columns)})",
        **more,
    }
