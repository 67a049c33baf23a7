"""Bundles without Beam's sampling thread.

For each bundle, Beam's worker starts a thread that checks every few milliseconds which step the bundle is at. At the
bundle's end, the worker waits until the thread wakes up once more: at least 2 ms, and longer after a longer bundle. The
thread measures Beam's own metrics of time, which Flink does not read.
"""

from __future__ import annotations

from threading import current_thread

from apache_beam.runners.worker import statesampler

__all__ = ["skip_sampling"]

_UNSAMPLED = "unsampled"
_start_sampling, _stop_sampling = statesampler.StateSampler.start, statesampler.StateSampler.stop


def skip_sampling() -> None:
    """Let the bundles of this process, from the next one on, start no sampling thread."""
    statesampler.StateSampler.start = _start
    statesampler.StateSampler.stop = _stop


def _start(sampler: statesampler.StateSampler) -> None:
    sampler.tracked_thread = current_thread()
    statesampler.set_current_tracker(sampler)
    setattr(sampler, _UNSAMPLED, True)
    sampler.started = True


def _stop(sampler: statesampler.StateSampler) -> None:
    if not getattr(sampler, _UNSAMPLED, False):  # its bundle began before `skip_sampling`
        _stop_sampling(sampler)
        return
    statesampler.set_current_tracker(None)
    sampler.finished = True
