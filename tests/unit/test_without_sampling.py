"""Beam's bundles without their sampling thread, with Beam's own classes: a change of those must be seen here."""

from __future__ import annotations

import inspect
import threading

import pytest
from apache_beam.runners.worker import bundle_processor, statesampler
from apache_beam.utils.counters import CounterFactory

from udfs.flink import without_sampling as flink_bundles
from udfs.flink.without_sampling import skip_sampling


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Collect the threads that are started; Beam has its own methods when the test begins."""
    # Another test of this process may have had them replaced.
    monkeypatch.setattr(statesampler.StateSampler, "start", flink_bundles._start_sampling)  # noqa: SLF001
    monkeypatch.setattr(statesampler.StateSampler, "stop", flink_bundles._stop_sampling)  # noqa: SLF001
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def note(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", note)
    return started


def bundle(sampler: statesampler.StateSampler) -> None:
    """Do with a sampler what Beam does with each bundle."""
    sampler.start()
    with sampler.scoped_state("step", "process"):
        assert statesampler.get_current_tracker() is sampler
    sampler.stop_if_still_running()
    assert statesampler.get_current_tracker() is None
    sampler.reset()


def test_beam_starts_a_thread_for_each_bundle(threads: list[threading.Thread]) -> None:
    bundle(statesampler.StateSampler("test", CounterFactory()))
    assert len(threads) == 1


def test_bundles_start_none(threads: list[threading.Thread]) -> None:
    sampler = statesampler.StateSampler("test", CounterFactory())
    skip_sampling()
    bundle(sampler)
    bundle(sampler)
    assert threads == []


def test_a_bundle_that_began_before_ends_its_thread(threads: list[threading.Thread]) -> None:
    sampler = statesampler.StateSampler("test", CounterFactory())
    sampler.start()
    skip_sampling()
    sampler.stop_if_still_running()
    [thread] = threads
    assert not thread.is_alive()
    sampler.reset()
    bundle(sampler)


def test_bundles_call_these_methods() -> None:
    source = inspect.getsource(bundle_processor.BundleProcessor.process_bundle)
    assert "self.state_sampler.start()" in source
    assert "self.state_sampler.stop_if_still_running()" in source
