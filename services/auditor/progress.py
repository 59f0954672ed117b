"""How far the auditor is, shared between its loop (writes) and its HTTP threads (read)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from tradetrail.log.reader import Place

EVENTS = Counter(
    "tradetrail_auditor_events", "Events written, by what became of them.", ["outcome"]
)
BATCH_SECONDS = Histogram(
    "tradetrail_auditor_batch_seconds",
    "Time to write one batch.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
STATEMENTS = Counter("tradetrail_auditor_statements", "SQL statements that wrote batches.")
RETRIES = Counter("tradetrail_auditor_retries", "Batches done again, by cause.", ["cause"])
LAG_RECORDS = Gauge("tradetrail_auditor_lag_records", "Offsets not audited yet, all partitions.")
LAG_AGE_S = Gauge("tradetrail_auditor_lag_age_seconds", "How long unaudited events have waited.")
POSITION = Gauge("tradetrail_auditor_next_offset", "Next offset to audit.", ["topic", "partition"])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the auditor stands. ``lag_age_s``: since it was last known to be at the end of everything."""

    positions: dict[str, int]
    lag_records: int
    lag_age_s: float
    trouble: str | None

    def report(self, lag_age_s_max: float) -> tuple[bool, dict[str, Any]]:
        """Return whether it is ready, and what /health says."""
        ready = self.lag_age_s <= lag_age_s_max
        return ready, {
            "status": "ready" if ready else "behind",
            "positions": self.positions,
            "lag_records": self.lag_records,
            "lag_age_s": round(self.lag_age_s, 3),
            "trouble": self.trouble,
        }


class Progress:
    """Positions in the database, the log's ends as far as known, and since when we are behind."""

    def __init__(self) -> None:
        """Begin behind: nothing is known yet."""
        self._lock = threading.Lock()
        self._positions: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._caught_up_at = time.monotonic()
        self._behind = True
        self._trouble: str | None = None

    def hold(self, positions: dict[Place, int]) -> None:
        """Set what is audited of the partitions we hold; others are forgotten."""
        with self._lock:
            for place in self._positions.keys() - positions.keys():
                self._ends.pop(place, None)
                POSITION.remove(place[0], str(place[1]))
            for (topic, partition), offset in positions.items():
                POSITION.labels(topic, str(partition)).set(offset)
            self._positions = dict(positions)
            self._judge()

    def saw_end(self, place: Place, end: int) -> None:
        """Note that the log's end was at ``end``."""
        with self._lock:
            self._ends[place] = max(end, self._ends.get(place, 0))
            if not self._behind and end > self._positions.get(place, end):
                # From here on its age counts, also when the step that takes it hangs and never comes to tell.
                self._caught_up_at, self._behind = time.monotonic(), True

    def note(self, trouble: str | None) -> None:
        """Set what keeps the auditor from going on; None when nothing does."""
        with self._lock:
            self._trouble = trouble
            self._judge()

    def standing(self) -> Standing:
        """Return where the auditor stands now."""
        with self._lock:
            age = time.monotonic() - self._caught_up_at if self._behind else 0.0
            standing = Standing(
                {f"{t}/{p}": offset for (t, p), offset in sorted(self._positions.items())},
                self._lag(),
                age,
                self._trouble,
            )
        LAG_RECORDS.set(standing.lag_records)
        LAG_AGE_S.set(standing.lag_age_s)
        return standing

    def _lag(self) -> int:
        return sum(
            max(end - self._positions.get(place, 0), 0)
            for place, end in self._ends.items()
            if place in self._positions
        )

    def _judge(self) -> None:
        # At the end of all we hold, and nothing in the way: the waiting, if any, is over. What comes next begins anew.
        behind = bool(self._trouble) or self._lag() > 0
        if not behind or not self._behind:
            self._caught_up_at = time.monotonic()
        self._behind = behind
