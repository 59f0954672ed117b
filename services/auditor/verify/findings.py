"""What differs between the log and the database: each finding with its code, where it is, and both values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

from tradetrail.log.reader import Place
from tradetrail.reports.encode import instant, plain, to_json

# A value longer than this says no more to a reader; the rest is in the log and in the database.
TEXT_LENGTH_MAX = 120


class Code(StrEnum):
    """What is wrong."""

    EVENT_MISSING = "event_missing"
    EVENT_ALTERED = "event_altered"
    EVENT_EXTRA = "event_extra"
    EVENT_BEYOND_POSITION = "event_beyond_position"
    HASH_WRONG = "hash_wrong"
    POSITION_BEYOND_LOG = "position_beyond_log"
    POSITION_SET_BACK = "position_set_back"
    SCHEMA_DIFFERS = "schema_differs"
    SCHEMA_MISSING = "schema_missing"
    ROW_MISSING = "row_missing"
    ROW_EXTRA = "row_extra"
    ROW_DIFFERS = "row_differs"


MEANINGS = {
    Code.EVENT_MISSING: "the log has an event that the database lacks, though its position is past it",
    Code.EVENT_ALTERED: "an event's bytes, key, append time, month or a column made from them differ",
    Code.EVENT_EXTRA: "the database has an event that the log lacks, or one twice",
    Code.EVENT_BEYOND_POSITION: "the database has an event at or past its own position",
    Code.HASH_WRONG: "everything of an event is as in the log but its hash; or the log is gone and the hash does "
    "not fit the row",
    Code.POSITION_BEYOND_LOG: "the database claims to be further than the log reaches",
    Code.POSITION_SET_BACK: "an auditor was further once than the database's position says",
    Code.SCHEMA_DIFFERS: "a stored schema is another than the registry's of that id",
    Code.SCHEMA_MISSING: "events were written with a schema that the database lacks",
    Code.ROW_MISSING: "the log gives a row that the table lacks",
    Code.ROW_EXTRA: "the table has a row that the log does not give",
    Code.ROW_DIFFERS: "a column of a row has another value than the log gives",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference, of an event (topic, partition, offset) or of a row (table, key); both values as short texts."""

    code: Code
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    table: str | None = None
    key: str | None = None
    column: str | None = None
    log: str | None = None
    database: str | None = None
    explanation: str | None = None

    @property
    def line(self) -> str:
        """Return it in one line."""
        parts = [str(self.code)]
        if self.topic is not None:
            parts.append(f"{self.topic}/{self.partition}")
        if self.offset is not None:
            parts.append(f"offset {self.offset}")
        if self.table is not None:
            parts.append(self.table)
        if self.key is not None:
            parts.append(self.key)
        if self.column is not None:
            parts.append(f"column {self.column}")
        sides = (("log ", self.log), ("database ", self.database), ("", self.explanation))
        told = [f"{side}{text}" for side, text in sides if text is not None]
        return " ".join(parts) + (f": {'; '.join(told)}" if told else "")


def at(code: Code, place: Place, offset: int | None = None, **more: Any) -> Finding:
    """Return a finding about a partition, or about an event of it."""
    return Finding(code, place[0], place[1], offset, **more)


class Findings:
    """All findings: every one is counted, the first ``kept_max`` are kept."""

    def __init__(self, kept_max: int) -> None:
        """Begin with none."""
        self._kept_max = kept_max
        self.kept: list[Finding] = []
        self.counts: Counter[Code] = Counter()

    def add(self, finding: Finding) -> None:
        """Take one more."""
        self.counts[finding.code] += 1
        if len(self.kept) < self._kept_max:
            self.kept.append(finding)

    def count(self, code: Code, more: int) -> None:
        """Count findings that are not told one by one."""
        if more:
            self.counts[code] += more

    @property
    def room(self) -> int:
        """Return how many more would be kept."""
        return self._kept_max - len(self.kept)

    @property
    def total(self) -> int:
        """Return how many there are."""
        return self.counts.total()

    @property
    def more(self) -> int:
        """Return how many are counted but not kept."""
        return self.total - len(self.kept)


def short(value: Any) -> str:
    """Return a value as a finding shows it: bytes by number and hash, long texts cut."""
    if value is None:
        return "none"
    if isinstance(value, bytes | memoryview):
        content = bytes(value)
        return f"{len(content)} bytes, sha256 {sha256(content).hexdigest()[:16]}…"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return instant(value)
    text = to_json(value) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[:TEXT_LENGTH_MAX]}…"
