"""The events of one partition, log and database side by side in offset order. Pure but for the two readers it is given.

Offsets are never assumed dense: transactions leave gaps. An event is missing or extra only against the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.auditor.verify.findings import Code, Finding, at, short
from services.auditor.verify.stored import StoredEvent
from tradetrail.errors import Retryable
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.event_hash import event_hash
from tradetrail.log.reader import Place, Received

_CONTENT = ("type", "symbol", "event_id", "occurred_at", "story_id", "schema_id")
_NOTHING: dict[str, Any] = dict.fromkeys(_CONTENT)


@dataclass(slots=True)
class Tally:
    """What was compared of a partition. ``good_to``: no difference lies before this offset; ``good`` events do."""

    compared: int = 0
    below_log_start: int = 0
    compacted_away: int = 0
    unreadable: int = 0
    content_unjudged: int = 0
    differences: int = 0
    good_to: int | None = None
    good: int = 0


@dataclass(slots=True)
class Partition:
    """A partition to compare: its place, where the log begins, and whether it keeps only the newest of each key."""

    place: Place
    low: int
    compacted: bool


class Comparison:
    """Compares partitions by what their events say."""

    def __init__(
        self,
        codec: Codec,
        schema_ids: Collection[int],
        found: Callable[[Finding], None],
        was_refused: Callable[[Place, int], bool],
        low_now: Callable[[Place], int],
    ) -> None:
        """Tell differences to ``found``; ``schema_ids`` are those that the database keeps.

        ``was_refused`` tells whether the tables refused what an event says, ``low_now`` where the log begins by now.
        """
        self._codec = codec
        self._schema_ids = set(schema_ids)
        self._found = found
        self._was_refused = was_refused
        self._low_now = low_now

    def walk(
        self,
        partition: Partition,
        log: Iterator[Received],
        rows: Iterator[StoredEvent],
        tally: Tally,
    ) -> Iterator[int]:
        """Compare to the end of both; yield each offset once it is judged. Every difference is told and tallied."""
        message, row = next(log, None), next(rows, None)
        last: int | None = None
        while message is not None or row is not None:
            if row is None or (message is not None and message.offset < row.offset):
                assert message is not None
                differences, offset = [self._missing(message)], message.offset
                message = next(log, None)
            elif row.offset == last:
                differences, offset = [self._doubled(partition, row)], row.offset
                row = next(rows, None)
            elif message is None or row.offset < message.offset:
                differences, offset = self._unlogged(partition, row, tally), row.offset
                row = next(rows, None)
            else:
                differences, offset = self._both(partition, message, row, tally), row.offset
                message, row = next(log, None), next(rows, None)
            last = offset
            for difference in differences:
                self._found(difference)
            tally.differences += len(differences)
            if not tally.differences:
                tally.good_to, tally.good = offset + 1, tally.compared
            yield offset

    def _missing(self, message: Received) -> Finding:
        return at(
            Code.EVENT_MISSING,
            message.place,
            message.offset,
            log=f"{short(message.value)}, key {_key(message.key)}",
            database="no such event",
        )

    def _doubled(self, partition: Partition, row: StoredEvent) -> Finding:
        said = f"a second row of this offset, in month {row.month}, {short(row.value)}"
        return at(Code.EVENT_EXTRA, partition.place, row.offset, database=said)

    def _unlogged(self, partition: Partition, row: StoredEvent, tally: Tally) -> list[Finding]:
        if row.offset >= partition.low and not partition.compacted:
            # Retention may have taken it away while we read.
            partition.low = max(partition.low, self._low_now(partition.place))
        if row.offset < 0 or (row.offset >= partition.low and not partition.compacted):
            said = f"{row.type or 'an event'}, {short(row.value)}, key {_key(row.key)}"
            return [
                at(
                    Code.EVENT_EXTRA,
                    partition.place,
                    row.offset,
                    log="no such event",
                    database=said,
                )
            ]
        if row.offset < partition.low:
            tally.below_log_start += 1
        else:
            tally.compacted_away += 1
        return _against_itself(partition.place, row)

    def _both(
        self, partition: Partition, message: Received, row: StoredEvent, tally: Tally
    ) -> list[Finding]:
        tally.compared += 1
        wanted: dict[str, Any] = {
            "value": message.value,
            "key": message.key,
            "available_at": message.appended_at,
            "month": message.appended_at.date().replace(day=1),
            "hash": event_hash(message),
        }
        differing = {name for name, value in wanted.items() if value != getattr(row, name)}
        content = self._content(partition, message, row, tally)
        differing |= {name for name, value in content.items() if value != getattr(row, name)}
        if not differing:
            return []
        wanted |= content
        first = next(name for name in wanted if name in differing)
        others = [name for name in wanted if name in differing and name != first]
        return [
            at(
                Code.HASH_WRONG if differing == {"hash"} else Code.EVENT_ALTERED,
                partition.place,
                message.offset,
                column=first,
                log=_shown(first, wanted[first]),
                database=_shown(first, getattr(row, first)),
                explanation=f"also {', '.join(others)}" if others else None,
            )
        ]

    def _content(
        self, partition: Partition, message: Received, row: StoredEvent, tally: Tally
    ) -> dict[str, Any]:
        """Return the columns made from the event's content, by name; none of them when that can't be told."""
        if message.value is None and partition.compacted:
            return _NOTHING
        try:
            decoded = self._codec.decode(message.value)
        except BadEvent:
            tally.unreadable += 1
            return _NOTHING
        except Retryable:
            tally.content_unjudged += 1
            return {}
        # The row of an event that the tables refuse has nothing of its content; there must be a dead letter then.
        refused = row.type is None and self._was_refused(partition.place, row.offset)
        event_id = _uuid(decoded.datum["event_id"])
        if refused or event_id is None:
            tally.unreadable += 1
            return _NOTHING
        if decoded.schema_id not in self._schema_ids:
            self._schema_ids.add(decoded.schema_id)
            why = f"schema {decoded.schema_id}, first needed here, is not in schemas"
            self._found(at(Code.SCHEMA_MISSING, partition.place, row.offset, explanation=why))
            tally.differences += 1
        datum = decoded.datum
        return {
            "type": decoded.type_name.rpartition(".")[2],
            "symbol": datum["symbol"],
            "event_id": event_id,
            "occurred_at": datum["occurred_at"],
            "story_id": datum["story_id"],
            "schema_id": decoded.schema_id,
        }


def _against_itself(place: Place, row: StoredEvent) -> list[Finding]:
    """Return what does not fit within a row that the log has no more."""
    appended_at = row.available_at or datetime.min.replace(tzinfo=UTC)
    own = event_hash(Received(*place, row.offset, row.key, row.value, appended_at))
    month = appended_at.date().replace(day=1)
    if own != row.hash:
        code, column, stored, wanted = Code.HASH_WRONG, "hash", row.hash.hex(), own.hex()
    elif month != row.month:
        code, column, stored, wanted = Code.EVENT_ALTERED, "month", str(row.month), str(month)
    else:
        return []
    why = f"the row itself gives {wanted}; the log has the event no more"
    return [at(code, place, row.offset, column=column, database=stored, explanation=why)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _key(key: bytes | None) -> str:
    return short(key.decode(errors="replace")) if key is not None else "none"


def _shown(column: str, value: Any) -> str:
    if isinstance(value, bytes) and column == "hash":
        return value.hex()
    if isinstance(value, bytes) and column == "key":
        return _key(value)
    return short(value)
