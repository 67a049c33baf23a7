"""What the project ships for operators: rules of Prometheus, the dashboard, the runbook."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.promql import read_query

__all__ = ["ROOT", "alerts", "dashboard_queries", "labels_of_records", "records", "runbook_sections"]

ROOT = Path(__file__).parents[1]
_FOLDER = ROOT / "deploy"


def _rules(file: str) -> list[dict[str, Any]]:
    content = YAML(typ="safe").load((_FOLDER / "prometheus" / file).read_text())
    return [rule for group in content["groups"] for rule in group["rules"]]


def records() -> dict[str, str]:
    """Return the expression of each recorded metric."""
    return {rule["record"]: rule["expr"] for rule in _rules("records.yaml")}


def alerts() -> dict[str, dict[str, Any]]:
    """Return each alert's rule."""
    return {rule["alert"]: rule for rule in _rules("alerts.yaml")}


def dashboard_queries() -> dict[str, str]:
    """Return the expressions of the dashboard, by panel and number."""
    board = json.loads((_FOLDER / "grafana" / "millstream.json").read_text())
    queries = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"]
        for target in panel.get("targets", ())
    }
    variables = [v["query"]["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    return queries | {text: f"sum by ({label}) ({metric})" for text in variables for metric, label in _values(text)}


def _values(text: str) -> list[tuple[str, str]]:
    return re.findall(r"label_values\((\w+), (\w+)\)", text)


def labels_of_records() -> dict[str, set[str]]:
    """Return the labels of each recorded metric: those that it groups by, or else those of what it reads."""
    labels: dict[str, set[str]] = {}
    for name, expression in records().items():
        query = read_query(expression)
        read = [labels[metric] for metric, _ in query.metrics if metric in labels]
        labels[name] = set.union(query.grouped, *read) - {"le"}
    return labels


def runbook_sections() -> dict[str, str]:
    """Return the text of each section of the runbook that is about an alert."""
    parts = re.split(r"^### (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
