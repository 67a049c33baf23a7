"""What Java says where a call in SQL fails."""

from __future__ import annotations

from pyflink_jobs.planning.failures.calls import DIVISION, NOT_FINITE, TEXT

__all__ = ["kind_of_failure"]

_SAYS = {
    "a division by 0": ((DIVISION,), ("/ by zero", "ivision by zero", "ivide by zero", "ivision undefined")),
    "a number that is NaN or infinite": (
        (NOT_FINITE,),
        ("Infinite or NaN", "Character N is neither", "Character I is"),
    ),
    "a text that is not what it is cast to": (
        (TEXT,),
        ("NumberFormatException", "DateTimeException", "DateTimeParseException", "annot parse", "Error when casting"),
    ),
}
"""What a failure is, by parts of what Java says of it, and the kinds of calls that have it."""


def kind_of_failure(trace: str) -> tuple[str, tuple[str, ...]] | None:
    """Return what a stack trace says that a job failed at, and the kinds of calls that fail so; None for others."""
    said = ((what, kinds) for what, (kinds, parts) in _SAYS.items() if any(part in trace for part in parts))
    return next(said, None)
