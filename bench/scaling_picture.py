"""A plot of what bench/scaling.py measured: a straight cost is a level line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scaling import Line

__all__ = ["draw"]

_NAMES = {"none": "no model", "mlp": "with the network"}
_COLOURS = {"none": "#7f7f7f", "mlp": "#1f77b4"}


def draw(lines: list[Line], file: Path) -> None:
    """Draw lines into a file whose suffix says the format: over slots on the left, over floats on the right."""
    from matplotlib.figure import Figure

    figure = Figure((9, 3.6), layout="constrained")
    for axes, over in zip(figure.subplots(1, 2), ("slots", "floats"), strict=True):
        for line in lines:
            if line.over != over:
                continue
            axes.plot(line.x, line.us, "o-", color=_COLOURS[line.job], label=_NAMES[line.job])
            axes.set_title(f"CPU µs per {line.per}", loc="left", fontsize=10)
            axes.set_xscale("log", base=2)
            axes.set_xticks(line.x, [str(x) for x in line.x])
        axes.set_xlabel({"slots": "slots, 16 floats a record", "floats": "floats a record, 2 slots"}[over])
        axes.margins(y=0.1)
        axes.set_ylim(bottom=0)
        axes.minorticks_off()
        axes.grid(axis="y", linewidth=0.5, alpha=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.savefig(file, dpi=150)
