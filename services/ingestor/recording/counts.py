"""What a run's numbers are: how many rows it fetched, and what became of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.ingestor.known.ledger import Verdict
from services.ingestor.rows.seats import Seat
from services.ingestor.rows.sectors import SectorChange, SectorTable
from tradetrail.events.generated import RecordChange, SeatChange


@dataclass(frozen=True, slots=True)
class Counts:
    """A run's numbers; created, updated and skipped add up to fetched."""

    fetched: int
    created: int
    updated: int
    flagged: int
    flags: Mapping[str, int]

    @property
    def skipped(self) -> int:
        """Return the rows that said nothing new."""
        return self.fetched - self.created - self.updated


def record_counts(verdicts: Sequence[Verdict], fetched: int) -> Counts:
    """Return the numbers of a disclosure run; flags are counted over what is delivered."""
    changes = Counter(verdict.change for verdict in verdicts)
    flags = Counter(flag for verdict in verdicts for flag in verdict.record.flags)
    return Counts(
        fetched=fetched,
        created=changes[RecordChange.CREATED],
        updated=changes[RecordChange.UPDATED],
        flagged=sum(bool(verdict.record.flags) for verdict in verdicts),
        flags=dict(sorted(flags.items())),
    )


def seat_counts(changes: Sequence[tuple[SeatChange, Seat]], fetched: int) -> Counts:
    """Return the numbers of a committees run; a seat that ended was not fetched, and counts as updated."""
    kinds = Counter(change for change, _ in changes)
    ended = kinds[SeatChange.ENDED]
    return Counts(
        fetched=fetched + ended,
        created=kinds[SeatChange.CREATED],
        updated=kinds[SeatChange.UPDATED] + ended,
        flagged=0,
        flags={},
    )


def sector_counts(changes: Sequence[SectorChange], table: SectorTable) -> Counts:
    """Return the numbers of a sectors run; rows without a symbol or a sector count as skipped, and by their flag."""
    created = sum(change.before is None for change in changes)
    return Counts(
        fetched=table.rows,
        created=created,
        updated=len(changes) - created,
        flagged=table.flagged,
        flags=table.flags,
    )
