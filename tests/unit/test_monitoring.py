"""The monitor's options of CREATE MODEL, and the reference profile: each mistake is found without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pyflink_jobs.planning.declarations import declare
from tests.watched_project import watched_project
from udfs.build_reference import build_profile
from udfs.reference import write_profile
from udfs.verdict import D_MIN

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.planning.monitoring import Monitored
    from pyflink_jobs.project.settings import Project

NAMES = {kind: kind for kind in ("events", "scored", "drift", "alerts")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return watched_project(tmp_path_factory.mktemp("watched"), "localhost:1", NAMES)


def options(made: Project, more: str, monitor: str = "'monitor.time' = 'happened', 'monitor.slice' = 'place'") -> None:
    """Write the model anew; its options begin in line 3."""
    (made.sql / "models" / "m.sql").write_text(
        "CREATE MODEL m INPUT (x FLOAT, y FLOAT, z FLOAT) OUTPUT (score DOUBLE)\nWITH ('provider' = 'onnx',\n"
        f"{monitor}, 'monitor.window' = '1 MINUTE'{more})"
    )


def bound(made: Project, more: str) -> Monitored:
    options(made, more)
    declarations = declare(made)
    assert declarations.findings == []
    monitored = declarations.models["m"].monitored
    assert monitored is not None
    return monitored


def findings(made: Project, more: str, **others: str) -> list[Finding]:
    options(made, more, **others)
    return declare(made).findings


def test_all_columns_are_watched_with_the_same_least_shift(made: Project) -> None:
    monitor = bound(made, "").monitor
    assert monitor.features == ("x", "y", "z", "score")
    assert (monitor.d_min, monitor.window, monitor.allowed_lateness) == ((D_MIN,) * 4, 60, 0)
    assert monitor.places == ("sql/models/m.sql:1",) * 4


def test_options_are_read(made: Project) -> None:
    more = """, 'monitor.columns' = 'score, x', 'monitor.d-min' = '0.2', 'monitor.d-min.x' = '1',
      'monitor.allowed-lateness' = '10 minutes'"""
    monitor = bound(made, more).monitor
    assert (monitor.features, monitor.d_min, monitor.allowed_lateness) == (("x", "score"), (1.0, 0.2), 600)


@pytest.mark.parametrize(
    ("more", "line", "message", "way"),
    [
        (",\n'monitor.tiem' = 'a'", 4, "unknown option 'monitor.tiem'", "write 'monitor.time'"),
        (",\n'monitor.d-min.scor' = '1'", 4, "unknown option 'monitor.d-min.scor'", "write 'monitor.d-min.score'"),
        (",\n'monitor.d-min' = '2'", 4, "'monitor.d-min' is '2', expected a number from 0 to 1", None),
        (",\n'monitor.d-min' = 'much'", 4, "'monitor.d-min' is 'much', expected a number from 0 to 1", None),
        (",\n'monitor.columns' = 'x, scor'", 4, "'monitor.columns': the model has no column `scor`", "write `score`"),
        (",\n'monitor.season' = 'day of weak'", 4, "'monitor.season' is 'day of weak'", "write 'day of week'"),
        (
            ",\n'monitor.allowed-lateness' = 'a bit'",
            4,
            "'a bit' is no span of time",
            "write a number and a unit, such as '10 MINUTES'",
        ),
        (
            ",\n'monitor.season' = 'day of week'",
            4,
            "the reference profile's season: none; the monitor's: day of week",
            "build it anew: millstream reference build --model m --version 1 --from data.parquet",
        ),
        (
            ",\n'monitor.reference' = 'models/m/9/reference.parquet'",
            4,
            "model `m` is watched, but there is no models/m/9/reference.parquet",
            "build it: millstream reference build --model m --version 1 --from data.parquet",
        ),
    ],
)
def test_mistakes_are_found_with_their_line(made: Project, more: str, line: int, message: str, way: str | None) -> None:
    (finding,) = findings(made, more)
    assert finding.place is not None
    assert (str(finding.place.file), finding.place.line, finding.message) == ("sql/models/m.sql", line, message)
    assert way is None or way in finding.ways_out


def test_a_window_must_divide_the_season(made: Project) -> None:
    (finding,) = findings(made, ", 'monitor.season' = 'hour of day'".replace("1 MINUTE", ""))
    assert "season" in finding.message
    options(made, ", 'monitor.season' = 'hour of day'")
    file = made.sql / "models" / "m.sql"
    file.write_text(file.read_text().replace("1 MINUTE", "7 MINUTES"))
    (finding,) = declare(made).findings
    assert finding.message == "a window of 420 s does not divide the parts of 'hour of day', 3600 s each"


def test_a_monitor_needs_event_time(made: Project) -> None:
    (finding,) = findings(made, "", monitor="'monitor.slice' = 'place'")
    assert finding.message == "model `m` has a monitor without event time"


def test_other_slices_and_another_window_need_another_profile(made: Project) -> None:
    (finding,) = findings(made, "", monitor="'monitor.time' = 'happened'")
    assert finding.message == "the reference profile's slices: place; the monitor's: none"
    options(made, "")
    file = made.sql / "models" / "m.sql"
    file.write_text(file.read_text().replace("1 MINUTE", "1 HOUR"))
    (finding,) = declare(made).findings
    assert finding.message == "the reference profile's window in seconds: 60; the monitor's: 3600"


def test_a_profile_must_fit_the_model(made: Project, tmp_path: Path) -> None:
    own = made.models / "m" / "1" / "reference.parquet"
    right = own.read_bytes()
    ones = np.ones(100, np.float32)
    text = pa.array(["a"] * 100)
    table = {"x": ones, "y": ones, "z": ones, "score": ones, "place": text}
    try:
        for model, version, columns, message in (
            ("other", "1", table, "its model is other, expected m"),
            ("m", "2", table, "its version is 2, expected 1"),
            ("m", "1", {**table, "y": text}, "column `y` is FLOAT, but text in the reference profile"),
            ("m", "1", {name: table[name] for name in ("x", "y", "z", "place")}, "has no column `score`"),
        ):
            pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
            names = [name for name in columns if name != "place"]
            profile = build_profile(model, version, tmp_path / "rows.parquet", names, slice_column="place")
            write_profile(profile, own)
            found = findings(made, "")
            assert message in " ".join(finding.message for finding in found)
            assert all("millstream reference build" in " ".join(finding.ways_out) for finding in found)
        own.write_bytes(b"damaged")
        (finding,) = findings(made, "")
        assert "models/m/1/reference.parquet cannot be read" in finding.message
    finally:
        own.write_bytes(right)
