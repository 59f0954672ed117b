"""How far a rebuild is, on standard error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from services.auditor.database.compare import Told
from services.auditor.refilling.refill import Moved
from tradetrail.cli.report import progress
from tradetrail.log.reader import Place


class Shown:
    """Shows the steps of a rebuild one after the other."""

    def __init__(self, bars: progress.Bars) -> None:
        """Draw on ``bars``."""
        self._bars = bars

    def step(self, text: str) -> None:
        """Say what is done next."""
        self._bars.say(text)

    @contextmanager
    def filling(self, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> Iterator[Moved]:
        """Show how far a refill is, in offsets of all partitions together."""
        at = {place: min(starts.get(place, 0), end) for place, end in ends.items()}
        before = sum(at.values())
        total = sum(ends.values()) - before
        with self._bars.bar("reading the log", total) as show:

            def moved(place: Place, offset: int) -> None:
                at[place] = offset
                done = sum(at.values()) - before
                show(done, f"reading the log: {done} of {total} offsets")

            yield moved

    @contextmanager
    def comparing(self) -> Iterator[Told]:
        """Show how far a comparison is, in rows of the table at hand."""
        with self._bars.bar("comparing", None) as show:

            def told(table: str, rows: int) -> None:
                show(rows, f"comparing {table}: {rows} rows", f"comparing {table} (rows)")

            yield told


@contextmanager
def showing() -> Iterator[Shown]:
    """Open the display and take it away again."""
    with progress.showing(at_once=True) as bars:
        yield Shown(bars)
