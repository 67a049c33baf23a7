"""The outcomes of flights: departures with their predictions, and the arrivals that came later."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from pyflink_jobs.demo.drift_records import read_drift
from pyflink_jobs.demo.metrics import CalibrationBin, auc, brier, calibration, log_loss
from pyflink_jobs.demo.tables import read_table
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.topics import names, read
from pyflink_jobs.planning.system_tables import QUARANTINE, REFUSED
from pyflink_jobs.quarantine.records import quarantined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyflink_jobs.demo.drift_results import Drift

__all__ = ["SCORE_BINS", "Hour", "Outcomes", "Version", "Week", "outcomes", "read_outcomes"]

SCORE_BINS = 20  # of 0.05 each
NEW_YORK = "America/New_York"
SOURCE = "departures"
FIELDS = {
    SOURCE: {
        "flight_id": pa.string(),
        "scheduled_ms": pa.int64(),
        "departed_ms": pa.int64(),
        "dep_delay": pa.float64(),
    },
    "predictions": {"flight_id": pa.string(), "p_late": pa.float64(), "model_version": pa.string()},
    "arrivals": {"flight_id": pa.string(), "late": pa.bool_()},
}


@dataclass(frozen=True)
class Week:
    """Scores of the flights that departed in a week, by New York's clocks; `monday` is its first day, ISO 8601.

    `counts` are the flights in SCORE_BINS equal bins of p_late from 0 to 1; `mean` is the mean p_late.
    """

    monday: str
    counts: list[int]
    mean: float


@dataclass(frozen=True)
class Hour:
    """Flights scheduled to depart in an hour of the day, by New York's clocks: 0 to 23.

    `delay` is their mean departure delay in minutes. `predicted` (mean p_late) and `observed` (share that came late)
    are of those that were scored and have arrived; None where there are none.
    """

    hour: int
    flights: int
    delay: float
    predicted: float | None
    observed: float | None


@dataclass(frozen=True)
class Version:
    """The flights that one version of the model has scored, and its metrics; None where no arrival is known."""

    version: str
    scored: int
    auc: float | None
    log_loss: float | None


@dataclass(frozen=True)
class Outcomes:
    """The numbers of a report.

    `flights` departed, `scored` of them have a probability and `refused` of them were refused by the model (NULL);
    `missing` have no prediction. `duplicates` counts predictions beyond a flight's first, `strays` predictions without
    a departure. `quarantined` are invalid records of departures. `labelled` flights were
    scored and have arrived: auc to calibration are about those. Departures are from `first` to `last`, ISO 8601 UTC.
    `drift` has the results of the model's monitor. What cannot be computed is None.
    """

    first: str
    last: str
    flights: int
    scored: int
    refused: int
    missing: int
    duplicates: int
    strays: int
    labelled: int
    late_share: float | None
    auc: float | None
    log_loss: float | None
    brier: float | None
    calibration: list[CalibrationBin]
    weeks: list[Week]
    hours: list[Hour]
    versions: list[Version]
    quarantined: int = 0
    drift: Drift | None = None

    def as_json(self) -> dict[str, object]:
        """Return the numbers as plain values; of drift, only the counts."""
        return {**asdict(replace(self, drift=None)), "drift": self.drift and self.drift.as_json()}

    @property
    def complaints(self) -> list[str]:
        """Errors of the job: each flight must have one prediction, and each prediction a flight."""
        wrong = {
            "departures without a prediction": self.missing,
            "predictions beyond a flight's first": self.duplicates,
            "predictions without a departure": self.strays,
        }
        return [f"{what}: {count:,}" for what, count in wrong.items() if count]


def read_outcomes(bootstrap: str) -> Outcomes:
    """Read the topics departures, predictions and arrivals of a Kafka, and drift and alerts where it has them.

    Raises KafkaError where no broker answers, a topic is missing or holds something else than such records, or
    nothing departed.
    """
    quarantined = _quarantined(bootstrap)
    tables = {
        name: read_table(bootstrap, name, fields, quarantined if name == SOURCE else ())
        for name, fields in FIELDS.items()
    }
    if not len(tables[SOURCE]):
        raise KafkaError(
            f"topic `{SOURCE}` is empty, so there is no report",
            fixes=("send the flights and score them: millstream demo",),
        )
    return replace(outcomes(**tables), quarantined=len(quarantined), drift=read_drift(bootstrap))


def _quarantined(bootstrap: str) -> set[tuple[int, int]]:
    """Return the departures that were not scored, by their partition and offset."""
    if QUARANTINE not in names(bootstrap):
        return set()
    found = [r for r in quarantined(read(bootstrap, QUARANTINE)) if r.reason != REFUSED]
    return {r.place[1:] for r in found if r.place and r.place[0] == SOURCE}


def outcomes(departures: pd.DataFrame, predictions: pd.DataFrame, arrivals: pd.DataFrame) -> Outcomes:
    """Join departures, predictions and arrivals by flight; columns as in FIELDS, at least one departure.

    Of several predictions of a flight, the first counts.
    """
    flights = departures.drop_duplicates("flight_id").set_index("flight_id")
    firsts = predictions.drop_duplicates("flight_id").set_index("flight_id")
    label = arrivals.drop_duplicates("flight_id").set_index("flight_id")["late"].rename("late")
    joined = flights.join(firsts).join(label.astype("boolean"))
    predicted = joined.index.isin(firsts.index)
    scored = joined[joined["p_late"].notna()]
    known = scored[scored["late"].notna()]
    p, late = known["p_late"].to_numpy(float), known["late"].to_numpy(bool)
    departed = pd.to_datetime(joined["departed_ms"], unit="ms", utc=True)
    return Outcomes(
        first=departed.min().isoformat(),
        last=departed.max().isoformat(),
        flights=len(joined),
        scored=len(scored),
        refused=int((predicted & joined["p_late"].isna()).sum()),
        missing=int((~predicted).sum()),
        duplicates=len(predictions) - len(firsts),
        strays=int((~firsts.index.isin(flights.index)).sum()),
        labelled=len(known),
        late_share=_known(late.mean() if len(late) else np.nan),
        auc=_known(auc(p, late)),
        log_loss=_known(log_loss(p, late)),
        brier=_known(brier(p, late)),
        calibration=calibration(p, late),
        weeks=_weeks(scored),
        hours=_hours(joined, known),
        versions=_versions(scored),
    )


def _weeks(scored: pd.DataFrame) -> list[Week]:
    day = _new_york(scored["departed_ms"]).dt.normalize().dt.tz_localize(None)
    monday = (day - pd.to_timedelta(day.dt.weekday, unit="D")).dt.strftime("%Y-%m-%d")
    return [
        Week(str(name), np.histogram(p, SCORE_BINS, (0, 1))[0].tolist(), float(p.mean()))
        for name, p in scored["p_late"].groupby(monday)
    ]


def _hours(joined: pd.DataFrame, known: pd.DataFrame) -> list[Hour]:
    hour = _new_york(joined["scheduled_ms"]).dt.hour
    by_hour = joined["dep_delay"].groupby(hour).agg(["size", "mean"])
    arrived = known[["p_late", "late"]].astype(float).groupby(hour).mean().reindex(by_hour.index)
    return [
        Hour(int(number), int(n), float(delay), _known(p), _known(late))
        for number, n, delay, p, late in zip(
            by_hour.index, by_hour["size"], by_hour["mean"], arrived["p_late"], arrived["late"], strict=True
        )
    ]


def _versions(scored: pd.DataFrame) -> list[Version]:
    versions = []
    for name, rows in scored.groupby("model_version"):
        known = rows[rows["late"].notna()]
        p: NDArray[np.float64] = known["p_late"].to_numpy(float)
        late: NDArray[np.bool_] = known["late"].to_numpy(bool)
        versions.append(Version(str(name), len(rows), _known(auc(p, late)), _known(log_loss(p, late))))
    return versions


def _new_york(epoch_ms: pd.Series[int]) -> pd.Series[pd.Timestamp]:
    return pd.to_datetime(epoch_ms, unit="ms", utc=True).dt.tz_convert(NEW_YORK)


def _known(value: float) -> float | None:
    """Return the value, or None for NaN, which JSON does not have."""
    return None if np.isnan(value) else float(value)
