"""How far a verification is: a bar for each partition and table; on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tradetrail.cli.report import progress

# Drawing for every event would cost more than comparing it.
_EVERY = 1_000

Moved = Callable[[int], None]
"""Hears how much of a part is done."""


class Shown:
    """Shows the parts of a verification one after the other."""

    def __init__(self, bars: progress.Bars) -> None:
        """Draw on ``bars``."""
        self._bars = bars

    @contextmanager
    def part(self, what: str, total: int | None, unit: str) -> Iterator[Moved]:
        """Show one part of ``total`` units; None while that is not known."""
        seen = 0
        with self._bars.bar(f"{what} ({unit})", total) as show:

            def moved(done: int) -> None:
                nonlocal seen
                seen += 1
                if seen % _EVERY == 1:
                    show(done, f"{what}: {done}{'' if total is None else f' of {total}'} {unit}")

            yield moved


@contextmanager
def showing() -> Iterator[Shown]:
    """Open the display and take it away again."""
    with progress.showing() as bars:
        yield Shown(bars)
