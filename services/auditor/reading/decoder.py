"""Reads the bytes of entries, and keeps the schemas that they were written with."""

from __future__ import annotations

from services.auditor.entry import Entry
from tradetrail.events.generated import DeadLetterReason
from tradetrail.log.codec import BadEvent, Codec


class Decoder:
    """Decides of each entry what it says, or why it can't be read. Not thread-safe, as its codec isn't."""

    def __init__(self, codec: Codec, compacted: frozenset[str]) -> None:
        """Read with ``codec``; a missing body is a deletion in ``compacted`` topics, and no event elsewhere."""
        self._codec = codec
        self._compacted = compacted
        self.schemas: dict[int, tuple[str, str]] = {}

    def read(self, entry: Entry, known: BadEvent | None = None) -> None:
        """Set what ``entry`` says or why it is bad; ``known`` is why it went to dead letters before, if it did.

        That stands, also when today's version or registry could read it. Raises Retryable while the registry is away.
        """
        message = entry.message
        if message.value is None and message.topic in self._compacted:
            return
        if known is not None and known.code != DeadLetterReason.NOT_STORABLE:
            entry.bad = known
            return
        try:
            decoded = self._codec.decode(message.value)
        except BadEvent as bad:
            entry.bad = known or bad
            return
        if decoded.schema_id not in self.schemas:
            text = self._codec.writer_schema(decoded.schema_id)
            self.schemas[decoded.schema_id] = (decoded.type_name, text)
        # One that the tables refused could be read: its schema is kept.
        entry.decoded, entry.bad = (decoded, None) if known is None else (None, known)
