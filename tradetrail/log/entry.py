"""A message of the log with what it says, readable or not."""

from __future__ import annotations

from dataclasses import dataclass

from tradetrail.log.codec import BadEvent, Codec, Decoded
from tradetrail.log.reader import Received


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with what it says; ``decoded`` is None for one that can't be read, ``bad`` then says why."""

    message: Received
    decoded: Decoded | None
    bad: BadEvent | None = None


def read_entry(codec: Codec, message: Received) -> Entry:
    """Return the message with what it says. Raises Retryable while the registry is away."""
    try:
        return Entry(message, codec.decode(message.value))
    except BadEvent as error:
        return Entry(message, None, error)
