"""Read the tables `drift` and `alerts`: the newest record of each window, slice and feature, and the open alarms."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pyflink_jobs.drift.records import Alarm, Drift, Series
from pyflink_jobs.errors import KafkaError, did_you_mean
from pyflink_jobs.local.json_records import json_objects
from pyflink_jobs.planning.system_tables import ALERTS, DRIFT
from udfs.drift.follow_windows import LATE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from datetime import datetime, timedelta

    from pyflink_jobs.local.topics import Record
    from pyflink_jobs.project.settings import Project

__all__ = ["Results", "newest", "parsed", "read_results", "results", "unknown", "window"]

T = TypeVar("T")


@dataclass(frozen=True)
class Results:
    """All that is known of a series.

    `singles` are its windows, each `length` long, by start, feature and slice; `sums` span several windows. `lost` rows
    came too late for their window. `alarms` are the open ones. `places` has file and line of each feature that ever had
    an alarm. `others` are series of the same model that were not chosen. `unreadable` counts records that are not
    results.
    """

    series: Series
    length: timedelta
    singles: dict[tuple[datetime, str, str], Drift]
    sums: tuple[Drift, ...]
    lost: int
    alarms: tuple[Alarm, ...]
    places: dict[str, str]
    others: tuple[Series, ...]
    unreadable: int

    @property
    def windows(self) -> list[datetime]:
        """The starts of the windows, oldest first."""
        return sorted({start for start, _, _ in self.singles})

    @property
    def features(self) -> list[str]:
        """The features' names, sorted."""
        return sorted({feature for _, feature, _ in self.singles})

    @property
    def slices(self) -> list[str]:
        """The slices' labels, sorted."""
        return sorted({label for _, _, label in self.singles})


def read_results(project: Project, model: str | None, version: str | None, job: str | None) -> Results:
    """Return the newest series in a project's tables, of the model, version and job that are not None.

    Raises KafkaError if there is no broker, no topic, no record, or none that fits.
    """
    from pyflink_jobs.planning.project_tables import ProjectTables

    tables = ProjectTables(project)
    drifts = tables.records(DRIFT, needed=False)
    if not drifts:
        raise KafkaError(
            f"no drift is recorded: {tables.shown(DRIFT)} has no records",
            facts=("a job whose model has a monitor writes to it as each window ends",),
            fixes=(
                "give the model a monitor: 'monitor.time' and 'monitor.window' in its CREATE MODEL",
                "run its job until a window is over: millstream run JOB",
            ),
        )
    return results(drifts, tables.records(ALERTS, needed=False), model, version, job)


def results(
    drifts: Sequence[Record],
    alerts: Sequence[Record],
    model: str | None = None,
    version: str | None = None,
    job: str | None = None,
) -> Results:
    """Return the newest series among records, as `read_results` does."""
    read = parsed(drifts, Drift.read)
    every = newest(read, window)
    if all(drift.feature == LATE for drift in every):
        raise KafkaError(
            "topic `drift` has no window that was compared with a reference",
            facts=(f"it has {len(drifts):,} records, {len(every):,} of them about rows that came too late",),
            fixes=("look at them: millstream peek drift",),
        )
    series, others = _choose([drift.series for drift in every if drift.feature != LATE], model, version, job)
    own = [drift for drift in every if drift.series == series]
    judged = [drift for drift in own if drift.feature != LATE]
    length = min(drift.length for drift in judged)  # sums of windows are longer
    latest = newest(parsed(alerts, Alarm.read), lambda _, a: (a.model, a.version, a.job, a.slice, a.feature))
    alarms = [alarm for alarm in latest if (alarm.model, alarm.version, alarm.job) == series[:3]]
    return Results(
        series,
        length,
        {(d.window_start, d.feature, d.slice): d for d in judged if d.length == length},
        tuple(d for d in judged if d.length != length),
        sum(d.n for d in own if d.feature == LATE),
        tuple(alarm for alarm in alarms if alarm.event == "opens"),
        {alarm.feature: alarm.defined_at for alarm in alarms if alarm.defined_at},
        others,
        len(drifts) - len(read),
    )


def newest(records: Iterable[tuple[Record, T]], key: Callable[[Record, T], Hashable]) -> list[T]:
    """Return the newest record of each key, ordered by time.

    The newest is the one with the highest offset, the order that a topic guarantees: Flink writes all records of a key
    to one partition. It replaces the others: late rows may have corrected a window, or a job may have run twice. Time
    decides only if a topic was given more partitions, and a key's records are in two of them.
    """
    latest: dict[tuple[Hashable, str, int], tuple[Record, T]] = {}  # by key and partition
    for record, value in sorted(records, key=lambda pair: pair[0].offset):
        latest[key(record, value), record.topic, record.partition] = record, value
    by_time = sorted(latest.items(), key=lambda item: (item[1][0].timestamp, item[1][0].partition, item[1][0].offset))
    kept: dict[Hashable, T] = {}
    for (name, *_), (_, value) in by_time:
        kept.pop(name, None)  # a dict keeps the order in which keys were first inserted
        kept[name] = value
    return list(kept.values())


def unknown(what: str, name: str, there: Sequence[str]) -> KafkaError:
    """Return the error for a name that is in no record."""
    return KafkaError(
        f"topic `drift` has no {what} `{name}`",
        facts=(f"it has {', '.join(there)}",),
        fixes=did_you_mean(name, there, fix="did you mean {}?"),
    )


def window(record: Record, drift: Drift) -> Hashable:
    """Return the key of a result: a later record of the same window, slice and feature replaces it."""
    key = (drift.series, drift.window_start, drift.window_end, drift.slice, drift.feature)
    # Each record of rows that came too late is about other rows.
    return (*key, record.topic, record.partition, record.offset) if drift.feature == LATE else key


def _choose(
    there: Sequence[Series], model: str | None, version: str | None, job: str | None
) -> tuple[Series, tuple[Series, ...]]:
    """Return the last series that fits, and the others of its model; `there` is ordered by time."""
    fits = list(there)
    for what, name, index in (("model", model, 0), ("version", version, 1), ("job", job, 2)):
        names = sorted({series[index] for series in fits})
        if name is not None and name not in names:
            raise unknown(what, name, names)
        if name is not None:
            fits = [series for series in fits if series[index] == name]
        elif what == "model" and len(names) > 1:
            raise KafkaError(
                f"topic `drift` has {len(names)} models: {', '.join(names)}",
                fixes=(f"name one: --model {names[0]}",),
            )
    chosen = fits[-1]
    others = {series for series in there if series.model == chosen.model and series != chosen}
    return chosen, tuple(sorted(others))


def parsed(records: Iterable[Record], read: Callable[[dict[str, Any]], T]) -> list[tuple[Record, T]]:
    """Return the records that `read` accepts, with what it returns; it raises ValueError or TypeError for others."""
    found: list[tuple[Record, T]] = []
    for record, value in json_objects(records):
        with suppress(ValueError, TypeError):
            found.append((record, read(value)))
    return found
