"""The result of a tuning run, as a Flink configuration and as JSON."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.project.interpreter import EXECUTION_MODE, PROCESS, THREAD
from pyflink_jobs.tuning.bundle_cost import TIMES
from pyflink_jobs.tuning.options import ARROW, BUNDLE, PARALLELISM, TIME
from pyflink_jobs.tuning.write_conf import Entry, entry_of_model, entry_of_step, fragment
from udfs.scoring.call_size import ROWS_PER_CALL

if TYPE_CHECKING:
    from pyflink_jobs.tuning.bench import Bench
    from pyflink_jobs.tuning.latency import Bound
    from pyflink_jobs.tuning.throughput import Gain

__all__ = ["as_json", "expectation", "machine", "of_latency", "of_throughput", "sample_in_words", "too_short"]

_MODELS = f"pipeline.global-job-parameters.{ROWS_PER_CALL}"


def of_throughput(bench: Bench, gain: Gain, command: str, output: str) -> str:
    """Return the configuration for records per second."""
    together = (
        f"Together: {_rates(gain.before)} records/s before, {_rates(gain.tuned)} tuned, measured in turn: "
        f"{gain.times:.2f} times. The noise of one measurement is about {gain.noise:.0%}."
    )
    return _file(bench, command, output, [together], [entry_of_step(step) for step in bench.search.steps])


def of_latency(bench: Bench, bound: Bound, command: str, output: str) -> str:
    """Return the configuration for a limit on the p99."""
    entries = [*(entry_of_step(step) for step in bench.search.steps), *_entries_of_mode(bench, bound)]
    return _file(bench, command, output, [expectation(bound)], entries)


def expectation(bound: Bound) -> str:
    """Return a text about the expected p99, and whether it meets the limit."""
    met = "" if bound.met else f" It is the smallest that was found; the limit of {bound.limit:,.0f} ms is not met."
    if latencies := bound.rows if bound.in_jvm else bound.latencies:
        measured = " and ".join(f"{latency.p99:,.0f}" for latency in latencies)
        count, rate = latencies[0].records, latencies[0].rate
        return (
            f"Expected at {rate:,.0f} records/s: a p99 of {bound.p99:,.0f} ms from a record's arrival in Kafka to its "
            f"score's. Measured: {measured} ms, of {count:,} records each.{met}"
        )
    return (
        f"Expected at {bound.rate:,.0f} records/s: a p99 of {bound.p99:,.0f} ms for the model's bundles alone. Kafka, "
        "the sink, and windows or joins that wait for event time come on top. The whole was not measured: the job does "
        f"not write one row to a topic for each record, or one sender is too slow for this rate.{met}"
    )


def _entries_of_mode(bench: Bench, bound: Bound) -> list[Entry]:
    if not bound.in_jvm:
        return [Entry(EXECUTION_MODE, PROCESS, ("Models are in workers.",)), *_entries_of_bundles(bench, bound)]
    bundles = " and ".join(f"{latency.p99:,.0f}" for latency in bound.latencies)
    rows = " and ".join(f"{latency.p99:,.0f}" for latency in bound.rows)
    measured = f"p99 in ms {rows}. In workers, with bundles every {bound.time} ms: {bundles}."
    why = (
        f"Models score each row in Flink's JVM: {measured}",
        "A model that hangs or crashes ends the TaskManager: docs/performance.md says when not to use this.",
    )
    time = "Not measured: a monitor still has bundles, and rows wait while a worker has one."
    return [Entry(EXECUTION_MODE, THREAD, why), Entry(TIME, bench.search.options[TIME], (time,))]


def _entries_of_bundles(bench: Bench, bound: Bound) -> list[Entry]:
    cost, cycle = bound.cost, bound.expected
    measured = "; ".join(
        f"{size}: {', '.join(f'{1000 * value:.1f}' for value in values)}" for size, values in bound.seconds.items()
    )
    fitted = (
        f"Milliseconds by rows of a bundle, in one of {bound.parallelism} subtasks: {measured}. Fitted: "
        f"c = {1000 * cost.fixed:.1f} ms + {1e6 * cost.row:.2f} µs a row."
    )
    if cycle is None:
        slow = "At this rate a subtask cannot keep up, with bundles of any size."
        return [Entry(TIME, str(bound.time), (fitted, slow))]
    formula = (
        "Flink checks each bundle.time T, and sends a bundle if the last one ended T ago: one in C = T (1 + "
        f"ceil(c / T)) = {1000 * cycle.seconds:.0f} ms, with {bound.rate:,.0f} / {bound.parallelism} records/s x C = "
        f"{cycle.rows:,.0f} rows and c = {1000 * cycle.cost:.1f} ms. p99 = rest + c + 0.99 C = {bound.rest:.0f} + "
        f"{1000 * cycle.cost:.1f} + {990 * cycle.seconds:.1f} = {bound.rest + 1000 * cycle.p99:.0f} ms; the rest is "
        "measured: Kafka, decoding and the sink."
    )
    chosen = (
        f"The longest of {TIMES[0]} ... {TIMES[-1]} that meets {bound.limit:,.0f} ms: fewer bundles cost less CPU."
        if bound.met
        else f"The smallest p99 of {TIMES[0]} ... {TIMES[-1]}."
    )
    options = bench.search.options
    needed = max(int(options[BUNDLE]), 2 * round(cycle.rows))
    rows = (
        f"Not measured: a bundle has {cycle.rows:,.0f} rows at this rate, and more only while the job catches up,",
        "which is faster with large bundles.",
    )
    return [
        Entry(TIME, str(bound.time), (fitted, formula, chosen)),
        Entry(BUNDLE, str(needed), (" ".join(rows),)),
        Entry(ARROW, options[ARROW], ("Not measured: bundles are smaller.",)),
        Entry(PARALLELISM, options[PARALLELISM], ("Not measured: the current value, which the formula assumes.",)),
    ]


def _file(bench: Bench, command: str, output: str, together: list[str], entries: list[Entry]) -> str:
    trial_runs = bench.trial_runs
    trials = bench.trials
    short = [text for text in (too_short(bench),) if text]
    steal = sum(trial.steal for trial in trials) / max(1e-9, sum(trial.seconds for trial in trials))
    project = trial_runs.project
    use = f"MILLSTREAM_FLINK_CONF={output} millstream run {trial_runs.job.name}"
    written = f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}. To use it: {use}"
    measured = (
        f"Measured on this machine: {machine()}. {sample_in_words(bench)} Each value was measured twice, in turn "
        f"with the others. Meanwhile the machine's host gave {steal:.2f} cores to other machines."
    )
    head = [written, measured, *together, *short]
    models = [entry_of_model(inner, f"{_MODELS}{inner.model}") for inner in bench.inner]
    chosen = {entry.key for entry in [*models, *entries]}
    carried = {key: value for key, value in read_configuration(project).items() if key not in chosen}
    return fragment(head, [*models, *entries], carried, project.settings.flink_conf)


def sample_in_words(bench: Bench) -> str:
    """Return a text about the sample."""
    sample = bench.sample
    unknown = "their rate is not known from their times in Kafka"
    rate = unknown if sample.rate is None else f"they arrived at {_few(sample.rate)}/s"
    return f"Sample: the newest {sample.records:,} records of topic {sample.topic}; {rate}."


def too_short(bench: Bench) -> str | None:
    """Return a text if the runs were too short to compare; None if they were not."""
    if all(trial.steady for trial in bench.trials):
        return None
    longest = max(trial.seconds for trial in bench.trials)
    return (
        f"The sample is too small: runs took {longest:.1f} s at most, and the rates of short ones include the start. "
        "Do not rely on the results: tune again with more records, or a larger --sample."
    )


def as_json(bench: Bench, found: Gain | Bound) -> dict[str, object]:
    """Return all measurements and choices as plain values."""
    return {
        "job": bench.trial_runs.job.name,
        "machine": machine(),
        "sample": bench.sample.as_json(),
        "options": bench.search.options,
        "models": [asdict(inner) for inner in bench.inner],
        "steps": [asdict(step) for step in bench.search.steps],
        "result": asdict(found),
        "runs": [asdict(trial) for trial in bench.trials],
    }


def machine() -> str:
    """Return a text about this machine: cores, processor, and versions."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    versions = f"Flink {version('apache-flink')}, ONNX Runtime {version('onnxruntime')}"
    return f"{os.cpu_count()} cores ({processor}), {versions}"


def _few(rate: float) -> str:
    """Return a rate in few digits.

    >>> _few(2000), _few(0.0117)
    ('2,000.0', '0.012')
    """
    return f"{rate:,.1f}" if rate >= 1 else f"{rate:.2g}"


def _rates(values: list[float]) -> str:
    return " and ".join(f"{value:,.0f}" for value in values)
