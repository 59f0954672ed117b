"""How far a rebuild is: bars on a terminal, else a line now and then; on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.auditor.compare import Told
from services.auditor.refill import Moved
from tradetrail.log.reader import Place

# Without a terminal a line so often tells that it goes on.
LINE_EVERY_S = 10.0


class Shown:
    """Shows the steps of a rebuild one after the other."""

    def __init__(self, bars: Progress) -> None:
        """Draw on ``bars``, or write lines where they are off."""
        self._bars = bars
        self._said_at = float("-inf")

    def step(self, text: str) -> None:
        """Say what is done next."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def filling(self, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> Iterator[Moved]:
        """Show how far a refill is, in offsets of all partitions together."""
        at = {place: min(starts.get(place, 0), end) for place, end in ends.items()}
        total, before = sum(ends.values()), sum(at.values())
        bar = self._bars.add_task("reading the log", total=total - before)

        def moved(place: Place, offset: int) -> None:
            at[place] = offset
            done = sum(at.values()) - before
            self._bars.update(bar, completed=done)
            self._line(f"reading the log: {done} of {total - before} offsets")

        yield moved
        self._bars.remove_task(bar)

    @contextmanager
    def comparing(self) -> Iterator[Told]:
        """Show how far a comparison is, in rows of the table at hand."""
        bar = self._bars.add_task("comparing", total=None)

        def told(table: str, rows: int) -> None:
            self._bars.update(bar, completed=rows, description=f"comparing {table} (rows)")
            self._line(f"comparing {table}: {rows} rows")

        yield told
        self._bars.remove_task(bar)

    def _line(self, text: str) -> None:
        if self._bars.disable and time.monotonic() - self._said_at > LINE_EVERY_S:
            self._said_at = time.monotonic()
            self.step(text)


@contextmanager
def showing() -> Iterator[Shown]:
    """Open the display and take it away again."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bars:
        yield Shown(bars)
