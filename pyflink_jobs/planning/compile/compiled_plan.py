"""Flink's compiled plan of a job: its operators, and which of them keep state.

Flink names an operator's state by the operator's id in the plan (`table.exec.uid.format`), and numbers operators at
each compilation. Here an operator that keeps state gets an id that is computed from what its state is. So the next
version of a job finds the state that it can continue with, wherever it was planned, and never that of something else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import Place
from pyflink_jobs.parsing.brackets import split
from pyflink_jobs.parsing.tokens import tokenize
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.system_tables import UNCHECKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.planning.compile.plan import PlannedJob

__all__ = ["COMPILING", "SINK", "SOURCE", "Operator", "Plan", "compile_plan", "row_columns"]

COMPILING = {
    # Tables and functions by name only: their options, which may have passwords, are not in the plan.
    "table.plan.compile.catalog-objects": "IDENTIFIER",
    "table.plan.restore.catalog-objects": "IDENTIFIER",
}
"""The options of an environment whose jobs are compiled."""

SOURCE, SINK = "table-source-scan", "sink"

# What an operator of these types holds is gone, or sent on, at each checkpoint. All others are taken to keep state.
_STATELESS = {
    "calc",
    "correlate",
    "drop-update-before",
    "exchange",
    "expand",
    "local-group-aggregate",
    "local-window-aggregate",
    "lookup-join",
    "mini-batch-assigner",
    "python-calc",
    "python-correlate",
    "union",
    "values",
    "watermark-assigner",
    "window-table-function",
}
_LEAST = 1_000_000_000
"""Ids of operators that keep state begin here, far beyond those that Flink counts; twice this fits its integers."""
_NEITHER = ["id", "uid", "inputProperties", "description", "configuration"]
"""What the plan says of an operator that changes with other operators, or with settings."""


@dataclass(frozen=True)
class Operator:
    """An operator of a plan: its type without Flink's prefix and version, and all that the plan says of it."""

    id: int
    type: str
    node: dict[str, Any]

    @property
    def keeps_state(self) -> bool:
        """Whether a savepoint holds something of it."""
        # Of Flink's own table functions, our SQL uses one that passes rows on.
        return self.type not in _STATELESS and "internalName" not in self._table_function

    @property
    def _table_function(self) -> dict[str, Any]:
        """Its call of a function that makes a table of a table."""
        call: dict[str, Any] = self.node.get("functionCall", {})
        return call

    @property
    def table(self) -> str:
        """The table that a source or a sink is of, without its catalog; "" for others."""
        holder = self.node.get("scanTableSource") or self.node.get("dynamicTableSink")
        return holder["table"]["identifier"].rsplit(".", 1)[-1].strip("`").removesuffix(UNCHECKED) if holder else ""

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Its calls of aggregate functions."""
        groups = [self.node, *self.node.get("overSpec", {}).get("groups", ())]
        return [call for group in groups for call in group.get("aggCalls", ())]

    @property
    def functions(self) -> list[str]:
        """The names of the job's own functions that it aggregates with, or makes a table with."""
        called = (call.get("catalogName") or call.get("systemName") for call in (*self.calls, self._table_function))
        return [name.rsplit(".", 1)[-1].strip("`") for name in called if name]


@dataclass(frozen=True)
class Plan:
    """A compiled plan.

    `tables` says where the tables are that it reads and writes, `functions` has digests by name, and `names` what the
    state of each operator that keeps one is to an analyst, by the operator's id.
    """

    text: str
    tables: Mapping[str, str]
    functions: Mapping[str, str]
    names: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def operators(self) -> dict[int, Operator]:
        """The operators by id, those that read others behind them."""
        nodes = json.loads(self.text)["nodes"]
        return {n["id"]: Operator(n["id"], n["type"].removeprefix("stream-exec-").rsplit("_", 1)[0], n) for n in nodes}

    @property
    def digest(self) -> str:
        """The sha256 of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def inputs(self) -> dict[int, list[int]]:
        """Which operators each operator reads."""
        inputs: dict[int, list[int]] = {name: [] for name in self.operators}
        for edge in json.loads(self.text)["edges"]:
            inputs[edge["target"]].append(edge["source"])
        return inputs

    def state(self, operator: Operator) -> str:
        """Return a digest of what decides whether an operator's state fits another: what it does, and to which rows.

        Of a source or a sink that is the table and where it is, whatever is read of it or written to it.
        """
        if operator.type in (SOURCE, SINK):
            return _digest([operator.type, operator.table, self.tables.get(operator.table)])
        given = [self.operators[name].node["outputType"] for name in self.inputs[operator.id]]
        return self._own(operator, [*_NEITHER, "outputType"], given)

    @cached_property
    def histories(self) -> dict[int, str]:
        """Digests of each operator and of all that it reads: equal only where the same rows come to it."""
        found: dict[int, str] = {}
        for name, operator in self.operators.items():
            given = [self.tables.get(operator.table), *(found[below] for below in self.inputs[name])]
            found[name] = self._own(operator, _NEITHER, given)
        return found

    def _own(self, operator: Operator, without: list[str], given: list[Any]) -> str:
        body = {key: value for key, value in operator.node.items() if key not in without}
        text = json.dumps([body, given], sort_keys=True)
        for name, digest in self.functions.items():
            text = text.replace(f"`{name}`", digest).replace(f'"{name}"', f'"{digest}"')
        return _digest(text)

    def renumbered(self, ids: Mapping[int, int]) -> Plan:
        """Return the plan with other ids: `ids` has the new one of each."""
        plan = json.loads(self.text)
        for node in plan["nodes"]:
            node["id"] = ids[node["id"]]
            if "uid" in node:  # the state of a table function has this name, and not one with its id
                node["uid"] = f"{node['id']}_table-function"
        for edge in plan["edges"]:
            edge["source"], edge["target"] = ids[edge["source"]], ids[edge["target"]]
        names = {ids[number]: name for number, name in self.names.items()}
        return Plan(json.dumps(plan), self.tables, self.functions, names)

    def with_lasting_ids(self) -> Plan:
        """Return the plan with ids that are the same at each compilation, wherever Flink's own count stands.

        Those of operators that keep state are made from the digests of states; of equal states each next one has
        another. The others are counted.
        """
        ids: dict[int, int] = {}
        seen: Counter[str] = Counter()
        for place, (number, operator) in enumerate(self.operators.items(), 1):
            if operator.keeps_state:
                digest = self.state(operator)
                seen[digest] += 1
                ids[number] = _LEAST + int(_digest([digest, seen[digest]]), 16) % _LEAST
            else:
                ids[number] = place
        return self.renumbered(ids)

    def packed(self) -> str:
        """Return all of it as a short text, for `unpacked`."""
        parts = {"tables": self.tables, "functions": self.functions, "names": self.names}
        text = json.dumps({"plan": json.loads(self.text), **parts}, sort_keys=True)
        return base64.b64encode(zlib.compress(text.encode(), 9)).decode()

    @classmethod
    def unpacked(cls, text: str) -> Plan:
        """Read what `packed` wrote."""
        read = json.loads(zlib.decompress(base64.b64decode(text)))
        names = {int(number): name for number, name in read["names"].items()}
        return cls(json.dumps(read["plan"]), read["tables"], read["functions"], names)


def compile_plan(planned: PlannedJob) -> Plan:
    """Return the compiled plan of a job. It names tables and functions, and says nothing of their options.

    Raises SqlError where Flink has no plan.
    """
    try:
        compiled = planned.statements.compile_plan()
    except Exception as error:
        raise planned.refusal(error) from error
    tables = {
        name: connector_of(options).address(options) for name, options in {**planned.sources, **planned.sinks}.items()
    }
    return Plan(json.dumps(json.loads(compiled.as_json_string())), tables, planned.functions).with_lasting_ids()


def row_columns(row: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    """Return names and types of the columns of a row type, of which the plan has two forms."""
    if isinstance(row, dict):
        return {field["name"]: str(field.get("fieldType", "")) for field in row.get("fields", ())}
    inside = row[len("ROW<") : row.rindex(">")]  # `a` BIGINT, `b` ARRAY<INT NOT NULL>
    items = split(tokenize(inside, Place(Path("plan"))))
    return {name.text: inside[kind[0].start : kind[-1].end] for name, *kind in filter(None, items)}


def _digest(content: Any) -> str:  # noqa: ANN401 - JSON
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
