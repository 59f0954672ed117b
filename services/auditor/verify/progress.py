"""How far a verification is: a bar for each partition and table on a terminal, else a line now and then; on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# Drawing for every event would cost more than comparing it.
_EVERY = 1_000
# Without a terminal a line so often tells that it goes on.
_LINE_EVERY_S = 10.0

Moved = Callable[[int], None]
"""Hears how much of a part is done."""


class Shown:
    """Shows the parts of a verification one after the other."""

    def __init__(self, bars: Progress) -> None:
        """Draw on ``bars``, or write lines where they are off."""
        self._bars = bars
        self._said_at = time.monotonic()

    @contextmanager
    def part(self, what: str, total: int | None, unit: str) -> Iterator[Moved]:
        """Show one part of ``total`` units; None while that is not known."""
        bar = self._bars.add_task(f"{what} ({unit})", total=total)
        seen = 0

        def moved(done: int) -> None:
            nonlocal seen
            seen += 1
            if seen % _EVERY == 1:
                self._bars.update(bar, completed=done)
                self._line(f"{what}: {done}{'' if total is None else f' of {total}'} {unit}")

        yield moved
        self._bars.remove_task(bar)

    def _line(self, text: str) -> None:
        if self._bars.disable or not sys.stderr.isatty():
            if time.monotonic() - self._said_at < _LINE_EVERY_S:
                return
            self._said_at = time.monotonic()
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


@contextmanager
def showing() -> Iterator[Shown]:
    """Open the display and take it away again."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as bars:
        yield Shown(bars)
