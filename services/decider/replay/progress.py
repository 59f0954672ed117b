"""How far a replay is: a bar on a terminal, else a line now and then; on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tradetrail.log.reader import Place

# Drawing for every event would cost more than reading it.
_EVERY_EVENTS = 1_000
# Without a terminal a line so often tells that it goes on.
_LINE_EVERY_S = 10.0


class Moved(Protocol):
    """Hears of each event that was read."""

    def __call__(self, place: Place, offset: int) -> None:
        """Take the event's place and offset."""


@contextmanager
def progress(what: str, ends: Mapping[Place, int]) -> Iterator[Moved]:
    """Show how much of these partitions, which end where ``ends`` says, is read."""
    total = sum(ends.values())
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as bars:
        bar = bars.add_task(what, total=total)
        at: dict[Place, int] = {}
        seen, said_at = 0, time.monotonic()

        def moved(place: Place, offset: int) -> None:
            nonlocal seen, said_at
            at[place] = offset + 1
            seen += 1
            if seen % _EVERY_EVENTS:
                return
            done = sum(at.values())
            bars.update(bar, completed=done)
            if not sys.stderr.isatty() and time.monotonic() - said_at > _LINE_EVERY_S:
                said_at = time.monotonic()
                sys.stderr.write(f"{what}: {done} of {total} events\n")
                sys.stderr.flush()

        yield moved
