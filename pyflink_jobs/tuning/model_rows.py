"""The rows that a job's models get from the sample's records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udfs.nulls import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pyflink_jobs.planning.compile.plan import PlannedJob
    from pyflink_jobs.planning.scored_view import ScoredView
    from udfs.scoring.model import ModelSpec

__all__ = ["rows_of_models"]


def rows_of_models(planned: PlannedJob) -> Iterator[tuple[ModelSpec, list[NDArray[Any]]]]:
    """Yield each model that a job calls, once, with the batch of all rows that it gets: one array per input.

    The job must be planned over bounded sources; Flink runs the part before the model, once for each model.
    """
    views = {view.model.spec.name: view for view in planned.views}
    for view in views.values():
        yield view.model.spec, _batch(planned, view)


def _batch(planned: PlannedJob, view: ScoredView) -> list[NDArray[Any]]:
    spec = view.model.spec
    listed = ", ".join(f"{sql} AS `_{number}`" for number, sql in enumerate(view.inputs))
    frame = planned.environment.sql_query(f"SELECT {listed} FROM {view.source}").to_pandas()
    series = iter([frame[name] for name in frame.columns])
    batch: list[NDArray[Any]] = []
    for given in spec.inputs:
        values = next(series).to_numpy()
        if not given.dtype.startswith("float"):
            null = next(series).to_numpy()
            values = masked(values, null) if null.any() else values
        batch.append(values)
    return batch
