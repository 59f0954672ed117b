"""Events of a symbol that a start read and nobody asked for yet: undecoded, because most never are.

To decode an event costs twenty times what reading it does, and a decision needs those of its own symbol only.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum

from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.event_head import occurred_at

# A zero byte and four of the schema's id: all that the type hangs on.
_HEADER_BYTES = 5


class Kind(Enum):
    """What a view makes of an event, as far as its schema's id tells."""

    FOLDED = "folded"
    DECISION = "decision"
    # A person's act: it asks for an answer, but no view holds anything of it.
    ASKED = "asked"
    OTHER = "other"
    UNREADABLE = "unreadable"


class Kinds:
    """Tells the kind of an event without decoding it."""

    def __init__(self, codec: Codec, kind_of: Callable[[str], Kind]) -> None:
        """Tell it by ``kind_of`` a full type name."""
        self._codec = codec
        self._kind_of = kind_of
        self._known: dict[bytes, Kind] = {}

    def of(self, value: bytes | None) -> Kind:
        """Return the kind. Raises Retryable while the registry is away and the schema unknown."""
        if value is None or len(value) <= _HEADER_BYTES:
            return Kind.UNREADABLE
        header = value[:_HEADER_BYTES]
        kind = self._known.get(header)
        if kind is None:
            try:
                kind = self._known[header] = self._kind_of(self._codec.type_name(value))
            except BadEvent:
                # Not remembered: the registry may learn of the schema.
                kind = Kind.UNREADABLE
        return kind


class Pending:
    """Undecoded events in log order: 12 bytes beside their own each, and 33 of the language's."""

    __slots__ = ("_offsets", "_values")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._offsets = array("q")
        self._values: list[bytes] = []

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._values)

    def add(self, offset: int, value: bytes) -> None:
        """Keep one that occurred when its first bytes tell."""
        self._offsets.append(offset)
        self._values.append(value)

    def take(self) -> Iterator[tuple[int, bytes]]:
        """Return all with their offsets, and keep none."""
        offsets, values = self._offsets, self._values
        self._offsets, self._values = array("q"), []
        return zip(offsets, values, strict=True)

    def prune(self, before: datetime) -> None:
        """Drop what occurred before an instant, UTC."""
        if not self._values or not _is_older(self._values[0], before):
            return
        for offset, value in self.take():
            if not _is_older(value, before):
                self.add(offset, value)


def _is_older(value: bytes, before: datetime) -> bool:
    at = occurred_at(value)
    return at is None or at < before
