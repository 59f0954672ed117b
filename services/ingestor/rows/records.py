"""From fetched rows to records with an identity. Pure.

Rows of equal content are numbered in order: separate lots of one filing look exactly alike. Content and number together
are hashed; the ledger decides which record that hash is.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from services.ingestor.rows.fields import Row
from services.ingestor.rows.flags import Flag
from services.ingestor.rows.normalise import Content, Reading, congress_reading, insider_reading
from tradetrail.settings import canonical_json

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

# More rows of equal content than one run delivers records: no number is higher.
OCCURRENCES_MAX = 25_000


@dataclass(frozen=True, slots=True)
class FetchedRow:
    """Where a row was in the answers: the call, its place there from 0, and the row itself."""

    call_id: str
    row_number: int
    fields: Row


@dataclass(frozen=True, slots=True)
class Record:
    """One disclosed trade as a row tells it; ``facts`` are the fields of the event that come from the row."""

    person_key: str
    reported_on: date | None
    symbol: str | None
    content: Content
    occurrence: int
    content_hash: str
    facts: dict[str, Any]
    flags: tuple[str, ...]
    call_id: str
    row_number: int


def congress_records(rows: Iterable[FetchedRow]) -> list[Record]:
    """Return the records of congress rows (the vendor's V1 shape), in their order."""
    return _numbered("quiverquant_congress", rows, congress_reading)


def insider_records(rows: Iterable[FetchedRow]) -> list[Record]:
    """Return the records of insider rows, in their order."""
    return _numbered("quiverquant_insider", rows, insider_reading)


def occurrence_of(data_source: str, record: Record, content_hash: str) -> int | None:
    """Return the number, from 1, with which a record's content has that hash; None when it has it with none."""
    begun = _hash_begun(data_source, canonical_json(record.content))
    numbers = range(1, OCCURRENCES_MAX + 1)
    return next((n for n in numbers if _hash_ended(begun, n) == content_hash), None)


def _hash_begun(data_source: str, content_text: str) -> Hash:
    # What is hashed is [data source, content, number] as canonical JSON; the number comes last, and is often guessed.
    return hashlib.sha256(f"[{canonical_json(data_source)},{content_text}".encode())


def _hash_ended(begun: Hash, occurrence: int) -> str:
    whole = begun.copy()
    whole.update(f",{occurrence}]".encode())
    return whole.hexdigest()


def _numbered(
    data_source: str, rows: Iterable[FetchedRow], read: Callable[[Row], Reading]
) -> list[Record]:
    seen: Counter[str] = Counter()
    records = []
    for row in rows:
        reading = read(row.fields)
        key = canonical_json(reading.content)
        seen[key] += 1
        begun = _hash_begun(data_source, key)
        flags = reading.flags | ({Flag.DUPLICATE_LOT} if seen[key] > 1 else set())
        records.append(
            Record(
                person_key=reading.person_key,
                reported_on=reading.facts["reported_on"],
                symbol=reading.symbol,
                content=reading.content,
                occurrence=seen[key],
                content_hash=_hash_ended(begun, seen[key]),
                facts=reading.facts,
                flags=tuple(sorted(flag.value for flag in flags)),
                call_id=row.call_id,
                row_number=row.row_number,
            )
        )
    return records
