"""What the reports' benchmark seeds, and in which steps: 500 symbols of skewed frequency over 24 months.

Two processes write, each a lane of partitions of its own, in steps of about a batch. A step is a function of its
number: it needs nothing of those before it, and its offsets begin at a multiple of ``STRIDE``, so that the positions in
the database tell which step comes next. The first ``steps_small`` steps spread over all months, the others do so again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from benchmarks.reports_samples import TOPIC
from tradetrail.log.reader import Place

LANES, PARTITIONS_EACH = 2, 3
SYMBOLS = 500
BEGIN, SPAN = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=731)
# The year that is asked about, in New York's days: the second one.
YEAR = (date(2025, 1, 1), date(2025, 12, 31))
# More than a step can have in one partition.
STRIDE = 1 << 14
RUNS, CONTROL = "trade.runs", "trade.control"


def symbol_of(rank: int) -> str:
    """Return the symbol that is the ``rank``-th most frequent; all have four letters, as their stand-in."""
    return "S" + "".join(chr(65 + rank // 26**n % 26) for n in (2, 1, 0))


# Zipf: the share of rank n goes with 1 / (n + 1); that of rank 14 is one percent, that of the first fifteen.
WATCHED = {"hot": symbol_of(14), "top": symbol_of(0), "cold": symbol_of(SYMBOLS - 1)}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is seeded: steps of ``step_events`` events or a few more in each lane, in two passes over the months."""

    steps_small: int
    steps_large: int
    step_events: int
    seed: int = 7

    def when(self, step: int) -> tuple[datetime, timedelta]:
        """Return when a step begins, and how much time it covers."""
        first, count = 0, self.steps_small
        if step >= count:
            first, count = count, self.steps_large - count
        return BEGIN + SPAN * ((step - first) / count), SPAN / count


@dataclass(frozen=True)
class Lane:
    """What one process writes: partitions, and symbols with their shares."""

    number: int

    @cached_property
    def shares(self) -> dict[int, float]:
        """Return the share of each symbol of this lane by rank; either lane has about half of all stories."""
        taken, ours = [0.0] * LANES, {}
        for rank in range(SYMBOLS):
            least = taken.index(min(taken))
            taken[least] += 1 / (rank + 1)
            if least == self.number:
                ours[rank] = 1 / (rank + 1)
        return ours

    @property
    def places(self) -> list[Place]:
        """Return every partition of this lane: those of its symbols, of its runs and of people's acts."""
        symbols = [self.place(n) for n in range(PARTITIONS_EACH)]
        return [*symbols, (RUNS, self.number), (CONTROL, self.number)]

    def place(self, rank: int) -> Place:
        """Return where a symbol's events stand."""
        return (TOPIC, self.number * PARTITIONS_EACH + rank % PARTITIONS_EACH)
