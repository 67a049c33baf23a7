"""The `monitor.` options of CREATE MODEL: read, and compared with the model's columns and its reference profile.

'monitor.time'             = 'departed_at',   -- event time: a column of what ML_PREDICT reads
'monitor.window'           = '1 DAY',         -- default: 1 HOUR
'monitor.slice'            = 'origin',        -- a column of what ML_PREDICT reads
'monitor.columns'          = 'temp, p_late',  -- default: all inputs and outputs
'monitor.d-min'            = '0.1',           -- the smallest shift worth an alarm
'monitor.d-min.temp'       = '1',             -- same, for one column
'monitor.allowed-lateness' = '10 MINUTES',    -- default: none
'monitor.season'           = 'day of week',   -- default: none
'monitor.reference'        = 'models/late_arrival/1/reference.parquet'   -- default: the one beside the model
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.parsing.create_model import MONITOR

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.parsing.option import Option
    from pyflink_jobs.project.settings import Project
    from udfs.drift.monitor import Monitor
    from udfs.drift.reference import Profile
    from udfs.drift.season import Season
    from udfs.scoring.model import ModelSpec

__all__ = ["MonitorOptions", "Monitored", "bind_monitor", "read_monitor"]

_KNOWN = ("time", "window", "slice", "columns", "d-min", "allowed-lateness", "season", "reference")
_UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}
_SPAN = re.compile(r"(\d+)\s*(SECOND|MINUTE|HOUR|DAY)S?", re.IGNORECASE)


@dataclass(frozen=True)
class MonitorOptions:
    """What the options say. `interval` is the window as SQL, such as "INTERVAL '1' DAY"; spans are in seconds."""

    time: Option
    window: int
    interval: str
    columns: tuple[str, ...]
    d_min: tuple[float, ...]
    slice: Option | None
    allowed_lateness: int
    season: Season
    reference: Option | None


@dataclass(frozen=True)
class Monitored:
    """A model that is monitored: the options, and what a worker needs. `digest` is that of the profile's file."""

    options: MonitorOptions
    monitor: Monitor


def read_monitor(model: ModelDefinition) -> tuple[MonitorOptions | None, list[Finding]]:
    """Read a model's options; None where it has no monitor, or findings."""
    given = {key.removeprefix(MONITOR): option for key, option in model.options.items() if key.startswith(MONITOR)}
    if not given:
        return None, []
    from udfs.drift.season import PARTS, UNIT_SECONDS

    findings = [*_unknown(model, given)]
    names = [column.name for column in (*model.inputs, *model.outputs)]
    time = given.get("time")
    if time is None:
        place = next(iter(given.values())).place
        way = "write 'monitor.time' = '<the event-time column of what ML_PREDICT reads>'"
        findings.append(Finding(f"model `{model.name}` has a monitor without event time", place, fixes=(way,)))
    window, interval = _span(given.get("window"), findings, (3600, "INTERVAL '1' HOUR"))
    lateness, _ = _span(given.get("allowed-lateness"), findings, (0, ""))
    columns = _columns(given.get("columns"), names, findings)
    d_min = _d_min(given, columns, findings)
    season = given.get("season")
    if season and season.value not in PARTS:
        ways = did_you_mean(season.value, PARTS, fix="write '{}'")
        findings.append(
            Finding(f"'monitor.season' is '{season.value}'", season.place, (f"known are: {', '.join(PARTS)}",), ways)
        )
    elif season and (unit := UNIT_SECONDS[season.value]) and unit % window:  # type: ignore[index]  # a known season
        message = f"a window of {window} s does not divide the parts of '{season.value}', {unit} s each"
        findings.append(Finding(message, season.place, fixes=("shorten 'monitor.window'", "choose another season")))
    if findings or time is None:
        return None, findings
    return MonitorOptions(
        time=time,
        window=window,
        interval=interval,
        columns=columns,
        d_min=d_min,
        slice=given.get("slice"),
        allowed_lateness=lateness,
        season=season.value if season else "none",  # type: ignore[arg-type]  # same
        reference=given.get("reference"),
    ), []


def bind_monitor(
    model: ModelDefinition, options: MonitorOptions, spec: ModelSpec, project: Project
) -> tuple[Monitored | None, list[Finding]]:
    """Compare a model's monitor with its reference profile."""
    from udfs.drift.monitor import Monitor
    from udfs.drift.reference import ProfileError, read_profile
    from udfs.scoring.signature import sha256

    own = project.models / model.name / spec.version / "reference.parquet"
    file = project.root / options.reference.value if options.reference else own
    place = options.reference.place if options.reference else options.time.place
    build = f"build it: millstream reference build --model {model.name} --version {spec.version} --from data.parquet"
    if not file.is_file():
        message = f"model `{model.name}` is monitored, but there is no {project.relative(file)}"
        return None, [Finding(message, place, fixes=(build, "leave the monitor's options out"))]
    try:
        profile = read_profile(file, model.name, None if options.reference else spec.version)
    except ProfileError as error:
        text = str(error).replace(str(file), str(project.relative(file)))
        return None, [Finding(text, place, fixes=(build.replace("build it", "rebuild it"),))]
    if findings := _compare(model, options, spec, profile, build):
        return None, findings
    places = {column.name: f"{column.place.file}:{column.place.line}" for column in (*model.inputs, *model.outputs)}
    monitor = Monitor(
        model=model.name,
        version=spec.version,
        reference=str(file),
        sha256=sha256(file),
        features=options.columns,
        d_min=options.d_min,
        places=tuple(places[name] for name in options.columns),
        window=options.window,
        allowed_lateness=options.allowed_lateness,
        sliced=options.slice is not None,
        slice_place=f"{options.slice.place.file}:{options.slice.place.line}" if options.slice else "",
    )
    return Monitored(options, monitor), []


def _compare(
    model: ModelDefinition, options: MonitorOptions, spec: ModelSpec, profile: Profile, build: str
) -> list[Finding]:
    from udfs.distributions.categories import Categories

    findings = []
    rebuild = build.replace("build it", "rebuild it")
    known = dict(zip(profile.features.names, profile.features.columns, strict=True))
    dtypes = {given.name: given.dtype for given in spec.inputs} | {given.name: given.dtype for given in spec.outputs}
    for column in (*model.inputs, *model.outputs):
        if column.name not in options.columns:
            continue
        if column.name not in known:
            facts = (f"it has: {', '.join(known)}",)
            ways = (rebuild, "name the columns to monitor in 'monitor.columns'")
            findings.append(Finding(f"the reference profile has no column `{column.name}`", column.place, facts, ways))
        elif isinstance(known[column.name], Categories) != (dtypes[column.name] == "string"):
            kind = "text" if isinstance(known[column.name], Categories) else "numbers"
            message = f"column `{column.name}` is {column.type}, but {kind} in the reference profile"
            findings.append(Finding(message, column.place, fixes=(rebuild,)))
    for what, wanted, found, option in (
        ("slices", options.slice.value if options.slice else None, profile.keys.slice_column, options.slice),
        ("season", options.season, profile.keys.season, model.options.get("monitor.season")),
        ("window in seconds", options.window, profile.keys.window, model.options.get("monitor.window")),
    ):
        if wanted != found:
            message = f"the reference profile's {what}: {found or 'none'}; the monitor's: {wanted or 'none'}"
            findings.append(Finding(message, (option or options.time).place, fixes=(rebuild,)))
    return findings


def _unknown(model: ModelDefinition, given: dict[str, Option]) -> list[Finding]:
    columns = [f"d-min.{column.name}" for column in (*model.inputs, *model.outputs)]
    findings = []
    for key, option in given.items():
        if key not in (*_KNOWN, *columns):
            facts = (f"known are: {', '.join(MONITOR + name for name in (*_KNOWN, 'd-min.<column>'))}",)
            ways = did_you_mean(key, (*_KNOWN, *columns), "leave it out", fix=f"write '{MONITOR}{{}}'")
            findings.append(Finding(f"unknown option '{MONITOR}{key}'", option.place, facts, ways))
    return findings


def _span(option: Option | None, findings: list[Finding], default: tuple[int, str]) -> tuple[int, str]:
    """Return a span of time in seconds, and as SQL."""
    if option is None:
        return default
    match = _SPAN.fullmatch(option.value.strip())
    if match is None or int(match[1]) < 1:
        message = f"'{option.value}' is not a duration"
        findings.append(Finding(message, option.place, fixes=("write a number and a unit, such as '10 MINUTES'",)))
        return default
    count, unit = match[1].lstrip("0"), match[2].upper()
    precision = f"({len(count)})" if len(count) > 2 else ""  # noqa: PLR2004 - what SQL's intervals hold by default
    return int(count) * _UNITS[unit], f"INTERVAL '{count}' {unit}{precision}"


def _columns(option: Option | None, names: list[str], findings: list[Finding]) -> tuple[str, ...]:
    if option is None:
        return tuple(names)
    wanted = tuple(name.strip() for name in option.value.split(","))
    for name in wanted:
        if name not in names:
            facts = (f"its columns: {', '.join(names)}",)
            message = f"'monitor.columns': the model has no column `{name}`"
            findings.append(Finding(message, option.place, facts, did_you_mean(name, names)))
    return tuple(name for name in names if name in wanted)


def _d_min(given: dict[str, Option], columns: tuple[str, ...], findings: list[Finding]) -> tuple[float, ...]:
    from udfs.drift.thresholds import D_MIN

    values: dict[str, float] = {}
    for key, option in given.items():
        if key == "d-min" or key.startswith("d-min."):
            try:
                values[key.removeprefix("d-min").removeprefix(".")] = value = float(option.value)
            except ValueError:
                value = -1
            if not 0 <= value <= 1:
                message = f"'{MONITOR}{key}' is '{option.value}', expected a number from 0 to 1"
                findings.append(Finding(message, option.place))
    return tuple(values.get(name, values.get("", D_MIN)) for name in columns)
