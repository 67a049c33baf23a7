"""Steps of a long command: progress bars on a terminal, elsewhere a line for each finished step."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["Step", "Steps", "steps"]

_WIDTH = 7  # characters of a step's name


class Step:
    """A step that is running."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self.text = ""

    def show(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Show what is happening, and how much of it is done where that is known."""
        self.text = text
        self._progress.update(self._task, completed=done, total=total, text=text)


class Steps:
    """Shows steps, one after the other."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Give a step that lasts as long as the block; its last text stays."""
        began = time.monotonic()
        task = self._progress.add_task(f"{name:<{_WIDTH}}", total=None, text="")
        step = Step(self._progress, task)
        yield step
        self._progress.update(task, completed=1, total=1)
        if self._progress.disable:
            seconds = time.monotonic() - began
            self._progress.console.print(f"{name:<{_WIDTH}}  {step.text}  ({seconds:.1f} s)", soft_wrap=True)


@contextmanager
def steps(console: Console) -> Iterator[Steps]:
    """Show steps on `console` for as long as the block lasts."""
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Steps(progress)
