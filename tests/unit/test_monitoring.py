"""Alerts, their runbook, the dashboard and the reporters' configurations fit together."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pyflink
import pytest
from ruamel.yaml import YAML

from tests.exposition import Sample, read
from tests.monitoring import ROOT, alerts, dashboard_queries, records, runbook_sections
from tests.promql import Matcher, read_query

REPORTERS = {"prometheus": "prom", "otel": "otel", "datadog": "dd"}


def test_each_alert_has_a_section_of_the_runbook_and_each_section_an_alert() -> None:
    assert set(runbook_sections()) == set(alerts())
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert rule["labels"]["severity"] in ("page", "warn")


def test_each_section_has_its_meaning_and_the_first_step() -> None:
    for name, text in runbook_sections().items():
        assert re.search(r"^\*\*It means:\*\* \S", text, re.MULTILINE), name
        assert re.search(r"^\*\*First:\*\* \S", text, re.MULTILINE), name


def test_summaries_name_labels_that_their_alert_has() -> None:
    for name, rule in alerts().items():
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        query = read_query(rule["expr"])
        recorded = {label for metric, _ in query.metrics if metric in records() for label in _labels(metric)}
        assert used <= query.grouped | recorded | {"instance"}, name


def _labels(metric: str) -> set[str]:
    query = read_query(records()[metric])
    return query.grouped | {label for name, _ in query.metrics if name in records() for label in _labels(name)}


def test_every_recorded_metric_is_used() -> None:
    expressions = [*records().values(), *(rule["expr"] for rule in alerts().values()), *dashboard_queries().values()]
    used = {metric for expression in expressions for metric, _ in read_query(expression).metrics}
    assert set(records()) <= used


@pytest.mark.parametrize(("name", "reporter"), REPORTERS.items())
def test_a_reporter_of_flink_is_configured(name: str, reporter: str) -> None:
    options = YAML(typ="safe").load((ROOT / "flink-conf" / f"metrics-{name}.yaml").read_text())
    assert all(key.startswith((f"metrics.reporter.{reporter}.", "python.")) for key in options)
    (jar,) = (Path(pyflink.__file__).parent / "plugins" / f"metrics-{name}").glob("*.jar")
    with zipfile.ZipFile(jar) as archive:
        factories = archive.read("META-INF/services/org.apache.flink.metrics.reporter.MetricReporterFactory").decode()
    assert options[f"metrics.reporter.{reporter}.factory.class"] in factories.split()


def test_samples_are_read() -> None:
    text = '# TYPE a gauge\na{x="1, 2",y="\\"q\\"",} 3.0\nb 1e3\n'
    assert read(text) == [Sample("a", {"x": "1, 2", "y": '"q"'}, 3.0), Sample("b", {}, 1000.0)]


def test_queries_are_read() -> None:
    query = read_query(
        'sum by (j, le) (label_replace(rate(a_b{x=~"S: .*", y="1"}[5m]), "new", "$1", "old", "p[.]\\\\d+"))'
        " / on (j) group_left () (m:r:5m > 0) unless k offset 15m"
    )
    assert query.metrics == [("a_b", [Matcher("x", "=~", "S: .*"), Matcher("y", "=", "1")]), ("m:r:5m", []), ("k", [])]
    assert query.grouped == {"j", "le"}
    assert query.replaced == [("new", "old", "p[.]\\d+")]
