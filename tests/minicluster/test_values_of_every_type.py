"""Values on their way from Kafka into a model and back, and what the planner says of types: by Flink's own types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pyflink_jobs import check
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.cards import write_card
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.onnx_file import Node, Value, onnx_file
from tests.projects import make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
DTYPES = {"price": "float32", "half": "float16", "device": "int32", "whole": "int64", "exact": "float64"}
SOURCE = {
    "price": "DOUBLE",
    "half": "DOUBLE",
    "device": "BIGINT COMMENT 'range 0..2147483647'",
    "whole": "DECIMAL(10, 2) COMMENT 'one of 1, 2, 3'",
    "exact": "BIGINT",
}
INPUT = "price FLOAT, half FLOAT, device INT, whole BIGINT, exact DOUBLE"
OUTPUT = "o_price FLOAT, o_half FLOAT, o_device INT, o_whole BIGINT, o_exact DOUBLE, o_ratio FLOAT"
FEATURES = "price, half, device, whole, exact"


def echo() -> bytes:
    """Return a model that gives back what it gets, and price / half."""
    nodes = [Node("Identity", [name], [f"o_{name}"]) for name in DTYPES]
    nodes += [Node("Cast", ["half"], ["wide"], {"to": 1}), Node("Div", ["price", "wide"], ["o_ratio"])]
    values = [Value(name, dtype, ["batch"]) for name, dtype in DTYPES.items()]
    outputs = [Value(f"o_{name}", dtype, ["batch"]) for name, dtype in DTYPES.items()]
    return onnx_file(nodes, values, [*outputs, Value("o_ratio", "float32", ["batch"])])


def project_of(
    folder: Path, kafka: str, names: dict[str, str], view: str = f"SELECT {FEATURES}, o, p FROM events"
) -> Project:
    columns = ", ".join(f"{name} {kind}" for name, kind in SOURCE.items())
    outputs = ", ".join(part.split()[0] for part in OUTPUT.split(", "))
    project = make_project(
        folder,
        {
            "sources/events": f"CREATE TABLE events ({columns}, o BIGINT METADATA FROM 'offset' VIRTUAL, "
            "p INT METADATA FROM 'partition' VIRTUAL) "
            f"WITH ({KAFKA}, 'topic' = '{names['events']}', 'scan.startup.mode' = 'earliest-offset')",
            "features/f": f"CREATE VIEW f AS {view}",
            "models/m": f"CREATE MODEL m INPUT ({INPUT})\nOUTPUT ({OUTPUT})\nWITH ('provider' = 'onnx')",
            "sinks/scored": f"CREATE TABLE scored (o BIGINT, {OUTPUT}) WITH ({KAFKA}, 'topic' = '{names['scored']}')",
            "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, detail STRING, `offset` BIGINT) "
            f"WITH ({KAFKA}, 'topic' = '{names['quarantine']}')",
            "sinks/plain": f"CREATE TABLE plain (o BIGINT, ratio DOUBLE, narrow FLOAT, `text` STRING) "
            f"WITH ({KAFKA}, 'topic' = '{names['plain']}')",
            "jobs/score": f"INSERT INTO scored SELECT o, {outputs} "
            f"FROM ML_PREDICT(TABLE f, MODEL m,\n DESCRIPTOR({FEATURES}));\n"
            "INSERT INTO plain SELECT o, price / (half - half), CAST(price AS FLOAT), 'a' FROM events",
        },
        f"kafka = '{kafka}'",
    )
    file = project.models / "m" / "1" / "model.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(echo())
    write_card(file, "m", "1")
    return project


GOOD = {"price": 0.1, "half": 2.5, "device": 7, "whole": 2, "exact": 2**53 + 1}
ROWS = [
    (GOOD, ""),
    ({**GOOD, "price": 1e39}, "input `price` is 1e+39, and float32 holds at most 3.40282347e+38"),
    ({**GOOD, "half": 70000}, "input `half` is 70000.0, and float16 holds at most 65504"),
    ({**GOOD, "device": 3_000_000_000}, "device is 3000000000, expected 0 to 2147483647"),
    ({**GOOD, "whole": 1.7}, "whole is 1.70, expected one of 1, 2, 3"),
    ({**GOOD, "half": 0}, "output `o_ratio` is Infinity"),
    ({**GOOD, "half": 0, "price": 0}, "output `o_ratio` is NaN"),
    ({**GOOD, "half": 0, "price": -1}, "output `o_ratio` is -Infinity"),
    ({**GOOD, "device": 2**31 - 1, "price": -3.4028235e38, "half": 65504}, ""),
]


def test_a_value_arrives_as_it_is_or_its_row_is_in_quarantine(
    broker: Broker, cluster: MiniCluster, topic: Callable[[str], str], tmp_path: Path
) -> None:
    names = {kind: topic(kind) for kind in ("events", "scored", "quarantine", "plain")}
    project = project_of(tmp_path, broker.bootstrap_servers, names)
    topics.create(broker.bootstrap_servers, {names["events"]: 1})
    send_records(broker.bootstrap_servers, names["events"], (json.dumps(row).encode() for row, _ in ROWS))
    environment = table_environment(project, {**cluster.options, "parallelism.default": "1"})
    planned = plan_job(declare(project).job("score"), environment, Run(bounded=True))
    assert execute(project, planned, cluster).state == "FINISHED"

    texts = [record.value or b"" for record in topics.read(broker.bootstrap_servers, names["scored"])]
    scored = {row.pop("o"): row for row in map(json.loads, texts)}
    plain = [record.value or b"" for record in topics.read(broker.bootstrap_servers, names["plain"])]
    assert not any(b"NaN" in text or b"Infinity" in text for text in [*texts, *plain])
    for row in map(json.loads, plain):
        price = ROWS[row["o"]][0]["price"]
        narrow = None if price == 1e39 else np.float32(price)
        assert (row["ratio"], row["narrow"] and np.float32(row["narrow"]), row["text"]) == (None, narrow, "a")
    refused = [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, names["quarantine"])]
    assert {row["offset"]: row["detail"] for row in refused} == {n: why for n, (_, why) in enumerate(ROWS) if why}
    for n, (row, why) in enumerate(ROWS):
        with np.errstate(over="ignore"):
            price, half = np.float32(row["price"]), np.float16(row["half"])
        if not why:
            given = [price, half, row["device"], row["whole"], float(row["exact"]), price / np.float32(half)]
            found = [np.float32(scored[n]["o_price"]), *[*scored[n].values()][1:5], np.float32(scored[n]["o_ratio"])]
            assert found == given
        elif why.startswith("input"):
            assert set(scored[n].values()) == {None}
        elif why.startswith("output"):
            assert scored[n]["o_ratio"] is None
            assert np.float32(scored[n]["o_price"]) == price
        else:
            assert n not in scored


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("device + 0 AS device, whole", "column `device` is BIGINT, model `m` expects INT: values beyond -2147483648"),
        ("device, whole * 2 AS whole", "expects BIGINT: values with a fraction, or beyond BIGINT, would be refused"),
        ("CAST(device + 0 AS INT) AS device, whole", ""),
        ("device, CAST(whole * 2 AS BIGINT) AS whole", ""),
        ("CAST(device AS STRING) AS device, whole", "column `device` is VARCHAR(2147483647), model `m` expects INT"),
    ],
)
def test_the_type_of_an_expression_is_flinks(tmp_path: Path, view: str, words: str) -> None:
    names = {kind: kind for kind in ("events", "scored", "quarantine", "plain")}
    project = project_of(tmp_path, "nowhere:9092", names, f"SELECT price, half, {view}, exact, o, p FROM events")
    found = [str(finding) for finding in check(project).findings]
    assert len(found) == bool(words)
    assert all(words.replace("VARCHAR(2147483647)", "STRING") in text or words in text for text in found)
