"""The flights' features in numpy, written from their definitions: the independent truth for sql/features/."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["flight_features"]

MINUTE = 60_000  # milliseconds
NEW_YORK = ZoneInfo("America/New_York")


def flight_features(
    departures: pd.DataFrame,
    weather: pd.DataFrame,
    wanted: set[str],
) -> dict[str, dict[str, float]]:
    """Return the features of the flights in `wanted`, one flight at a time: slow, and easy to believe.

    NULL is NaN. The frames' columns are the fields of the JSON records.
    """
    flights = departures.to_dict("records")
    observations = weather.to_dict("records")
    features = {}
    for flight in (flight for flight in flights if flight["flight_id"] in wanted):
        now = flight["departed_ms"]
        carrier = [
            f for f in flights if f["carrier"] == flight["carrier"] and now - 180 * MINUTE <= f["departed_ms"] <= now
        ]
        # The newest full five minutes: an hour that ends there, its end not included.
        end = (now + 1) // (5 * MINUTE) * (5 * MINUTE)
        origin = [f for f in flights if f["origin"] == flight["origin"] and end - 60 * MINUTE <= f["departed_ms"] < end]
        seen = [w for w in observations if w["origin"] == flight["origin"] and w["observed_ms"] <= now]
        sky: dict[str, float] = max(seen, key=lambda w: w["observed_ms"], default={})
        scheduled = datetime.fromtimestamp(flight["scheduled_ms"] / 1000, UTC).astimezone(NEW_YORK)
        features[flight["flight_id"]] = {
            "dep_delay": flight["dep_delay"],
            "distance": flight["distance"],
            "scheduled_hour": scheduled.hour,
            "weekday": scheduled.isoweekday() % 7 + 1,
            "origin_departures_1h": len(origin),
            "origin_delay_1h": _mean([f["dep_delay"] for f in origin]),
            "origin_late_share_1h": _mean([f["dep_delay"] > 15 for f in origin]),
            "carrier_departures_3h": len(carrier),
            "carrier_delay_3h": _mean([f["dep_delay"] for f in carrier]),
            **{name: sky.get(name, np.nan) for name in ("temp", "wind_speed", "precip", "visib")},
        }
    return features


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else np.nan
