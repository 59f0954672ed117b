"""How far a long command is: bars on a terminal, else a line now and then; on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from tradetrail.cli.report.tables import print_line

# Without a terminal a line so often tells that it goes on.
LINE_EVERY_S = 10.0


class Moved(Protocol):
    """Hears how much of a part is done."""

    def __call__(self, done: int, line: str, name: str | None = None) -> None:
        """Take what is done; ``line`` says it where there is no bar, ``name`` is what the bar is called from now on."""


class Bars:
    """The bars of one command; ``showing`` opens them."""

    def __init__(self, progress: Progress, said_at: float) -> None:
        """Draw on ``progress``, or write lines where it is off, the last one at ``said_at`` (monotonic seconds)."""
        self._progress = progress
        self._said_at = said_at

    def say(self, text: str) -> None:
        """Write a line, above the bars if there are any."""
        print_line(self._progress.console, text)

    @contextmanager
    def bar(self, name: str, total: int | None) -> Iterator[Moved]:
        """Show one part of ``total`` units, None while that is not known; the bar is gone at the part's end."""
        task = self._progress.add_task(name, total=total)

        def moved(done: int, line: str, name: str | None = None) -> None:
            self._progress.update(task, completed=done, description=name)
            if self._progress.disable and time.monotonic() - self._said_at > LINE_EVERY_S:
                self._said_at = time.monotonic()
                self.say(line)

        yield moved
        self._progress.remove_task(task)


@contextmanager
def showing(
    *after_count: ProgressColumn, at_once: bool = False, lines_only: bool = False
) -> Iterator[Bars]:
    """Open the display and take it away again; ``at_once``: the first line comes with the first move.

    ``lines_only``: no bars, since what the command prints goes to the same terminal.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *after_count,
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        disable=lines_only or not sys.stderr.isatty(),
    ) as progress:
        yield Bars(progress, float("-inf") if at_once else time.monotonic())
