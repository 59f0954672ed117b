"""What we know of each record, and whether a fetched row is new, changed or known. Pure.

The rule (docs/ingestor.md): a row whose content hash is the newest of a known record is that record, unchanged. Else,
if a known record of the same person within the fetched days has vanished from the answer and differs from the row in
one aspect (two, if the asset is the same), the row is its next version. Else it is a new record, whose id is derived
from the hash of its first version.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from services.ingestor.rows.records import Record
from tradetrail.events.generated import RecordChange
from tradetrail.ids import derive_id
from tradetrail.settings import canonical_json

# Fields that tell of one thing together count once when two rows are compared.
_ASPECTS = {
    "Amount": "amount",
    "Range": "amount",
    "BioGuideID": "person",
    "Representative": "person",
    "Party": "person",
    "District": "person",
    "Ticker": "asset",
    "TickerType": "asset",
    "Description": "asset",
    "Shares": "quantity",
    "SharesOwnedFollowing": "quantity",
    "officerTitle": "role",
    "isDirector": "role",
    "isOfficer": "role",
    "isTenPercentOwner": "role",
    "isOther": "role",
}
_ASPECTS_CHANGED_MAX = 2
# Rows of one person in one window that are compared with each other: beyond this all are new, in bounded time.
_PAIRS_MAX = 1_000_000


# Where the part of a state entry's identity begins that is needed of every record, not only of compared ones.
_INDEXED = '"person":'


class Known(NamedTuple):
    """The newest version of a record; ``identity`` as ``identity_of`` wrote it."""

    record_id: str
    version: int
    content_hash: str
    person_key: str
    reported_on: date | None
    identity: str
    symbol: str | None

    @property
    def content(self) -> dict[str, Any]:
        """Return what the record's row said, read anew at each call."""
        content: dict[str, Any] = json.loads(self.identity)["content"]
        return content


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a record is to be delivered as."""

    record: Record
    record_id: str
    version: int
    change: RecordChange
    changed_fields: tuple[str, ...]
    symbol_before: str | None = None

    @property
    def left_symbol(self) -> str | None:
        """Return the symbol that this version takes the record away from; None when it takes it from none."""
        return None if self.symbol_before == self.record.symbol else self.symbol_before


class Ledger:
    """The known records of one data source."""

    def __init__(self, data_source: str) -> None:
        """Begin empty; ``take`` fills it from the state topic."""
        self.data_source = data_source
        self._by_id: dict[str, Known] = {}
        self._by_hash: dict[str, str] = {}
        self._by_person: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        """Return how many records are known."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[Known]:
        """Return the newest version of every record, in no order."""
        return iter(self._by_id.values())

    def take(self, known: Known) -> None:
        """Take the newest version of a record."""
        self.forget(known.record_id)
        self._by_id[known.record_id] = known
        self._by_hash[known.content_hash] = known.record_id
        self._by_person[known.person_key].add(known.record_id)

    def forget(self, record_id: str) -> None:
        """Drop a record."""
        old = self._by_id.pop(record_id, None)
        if old is not None:
            if self._by_hash.get(old.content_hash) == record_id:
                del self._by_hash[old.content_hash]
            self._by_person[old.person_key].discard(record_id)

    def judge(
        self, records: Sequence[Record], start: date, end: date, *, has_undated: bool = False
    ) -> list[Verdict]:
        """Return what is new or changed among ``records``, which must hold all rows of the days from start to end.

        ``has_undated``: they hold all rows without a readable day, too. Else a known record without one was not asked
        for: that it is not there says nothing, and no row is taken for its correction.
        """
        present = {record.content_hash for record in records}
        fresh = [record for record in records if record.content_hash not in self._by_hash]
        fresh.sort(key=_order)
        verdicts = []
        taken: set[str] = set()
        for record, old in self._corrections(fresh, present, (start, end), has_undated):
            taken.add(record.content_hash)
            changed = tuple(_differing(old.content, record.content))
            version = old.version + 1
            verdicts.append(
                Verdict(record, old.record_id, version, RecordChange.UPDATED, changed, old.symbol)
            )
        new_ids: set[str] = set()
        for record in fresh:
            if record.content_hash not in taken:
                record_id = self._new_id(record, new_ids)
                new_ids.add(record_id)
                verdicts.append(Verdict(record, record_id, 1, RecordChange.CREATED, ()))
        return sorted(verdicts, key=lambda verdict: _order(verdict.record))

    def _corrections(
        self,
        fresh: Sequence[Record],
        present: set[str],
        days: tuple[date, date],
        has_undated: bool,
    ) -> Iterator[tuple[Record, Known]]:
        by_person: defaultdict[str, list[Record]] = defaultdict(list)
        for record in fresh:
            by_person[record.person_key].append(record)
        for person in sorted(by_person):
            vanished = [
                known
                for known in map(self._by_id.__getitem__, sorted(self._by_person.get(person, ())))
                if known.content_hash not in present
                and (
                    has_undated
                    if known.reported_on is None
                    else days[0] <= known.reported_on <= days[1]
                )
            ]
            if vanished and len(vanished) * len(by_person[person]) <= _PAIRS_MAX:
                yield from _paired(by_person[person], vanished)

    def _new_id(self, record: Record, taken: set[str]) -> str:
        # A corrected record and a later row like its first version would share an id: the number tells them apart.
        number = 0
        while True:
            made = str(derive_id("record", self.data_source, record.content_hash, number))
            if made not in self._by_id and made not in taken:
                return made
            number += 1


def known_of(
    record_id: str, version: int, content_hash: str, identity: str, symbol: str | None
) -> Known:
    """Return what a state entry says. Raises ValueError when ``identity`` is none of ``identity_of``'s.

    Of the identity only the end is read, a third of the cost: what comes before, and is long, is the row's content. The
    quotes of any text in it are escaped, so that the last name of this form is the entry's own.
    """
    at = identity.rfind(_INDEXED)
    try:
        facts = json.loads("{" + identity[at:]) if at > 0 else {}
        day = facts["reported_on"]
        return Known(
            record_id,
            version,
            content_hash,
            facts["person"],
            date.fromisoformat(day) if day else None,
            identity,
            # One text for all records of a symbol, not one each.
            symbol and sys.intern(symbol),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no identity of a record: {identity[:200]!r} ({error!r})") from error


def identity_of(record: Record) -> str:
    """Return what the state topic keeps of a record's natural key, for people and for later comparison."""
    return canonical_json(
        {
            "person": record.person_key,
            "reported_on": record.reported_on and record.reported_on.isoformat(),
            "occurrence": record.occurrence,
            "content": record.content,
        }
    )


def _paired(rows: Sequence[Record], vanished: Sequence[Known]) -> Iterator[tuple[Record, Known]]:
    """Pair rows with vanished records, the most alike first, each at most once."""
    pairs = []
    contents = [known.content for known in vanished]
    for row_at, row in enumerate(rows):
        for known_at, content in enumerate(contents):
            aspects = {_ASPECTS.get(name, name) for name in _differing(content, row.content)}
            if len(aspects) <= (1 if "asset" in aspects else _ASPECTS_CHANGED_MAX):
                pairs.append((len(aspects), row_at, known_at))
    used_rows: set[int] = set()
    used_known: set[int] = set()
    for _, row_at, known_at in sorted(pairs):
        if row_at not in used_rows and known_at not in used_known:
            used_rows.add(row_at)
            used_known.add(known_at)
            yield rows[row_at], vanished[known_at]


def _differing(old: dict[str, Any], new: Any) -> list[str]:
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _order(record: Record) -> tuple[date, str, str]:
    return (record.reported_on or date.min, record.person_key, record.content_hash)
