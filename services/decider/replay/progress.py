"""How far a replay is, on standard error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.progress import TextColumn

from tradetrail.cli.report.progress import showing
from tradetrail.log.reader import Place

# Drawing for every event would cost more than reading it.
_EVERY_EVENTS = 1_000


class Moved(Protocol):
    """Hears of each event that was read."""

    def __call__(self, place: Place, offset: int) -> None:
        """Take the event's place and offset."""


@contextmanager
def progress(what: str, ends: Mapping[Place, int]) -> Iterator[Moved]:
    """Show how much of these partitions, which end where ``ends`` says, is read."""
    total = sum(ends.values())
    at: dict[Place, int] = {}
    seen = 0
    with showing(TextColumn("events")) as bars, bars.bar(what, total) as show:

        def moved(place: Place, offset: int) -> None:
            nonlocal seen
            at[place] = offset + 1
            seen += 1
            if seen % _EVERY_EVENTS == 0:
                done = sum(at.values())
                show(done, f"{what}: {done} of {total} events")

        yield moved
