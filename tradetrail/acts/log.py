"""The log as acts use it: opened once, read on from offsets, bounded in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, TopicPartition, murmur2

from tradetrail.errors import Unreachable, UsageError
from tradetrail.events import Event
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.kafka import open_consumer, translate
from tradetrail.log.provision import check_topology
from tradetrail.log.reader import Place, partition_counts
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.requeues import EventPlace
from tradetrail.settings import SharedSettings

_BATCH_MAX = 5_000
# The client waits this long to fill a batch; an answer is seen so much later at most.
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Log:
    """A provisioned log, and who puts acts into it. Not thread-safe, since its codec isn't: one per thread.

    Once ``stopping`` is set, nothing is waited for any more.
    """

    settings: SharedSettings
    codec: Codec
    topics: Topics
    stamp: Stamp
    stopping: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands in the log: a partition, and the key within it; an empty key is any."""

    place: Place
    key: str


def open_log(settings: SharedSettings) -> Log:
    """Return the log for a command. Raises UsageError when it isn't provisioned, Retryable while a server is away."""
    codec, topics = Codec(settings.registry_url), Topics.of(settings)
    if not check_topology(settings, codec, topics):
        raise UsageError(
            "the log is not provisioned yet: run `tradetrail up`, or `python -m tradetrail.log.provision`"
        )
    return Log(settings, codec, topics, Stamp("cli", settings.instance))


def symbol_spot(log: Log, symbol: str) -> Spot:
    """Return where the symbol's events stand; keys are placed as our producers place them."""
    topic = log.topics.for_symbol(symbol)
    counts = partition_counts(log.settings, [topic])
    if topic not in counts:
        raise Unreachable(f"topic {topic} does not exist: run `tradetrail doctor`")
    return Spot((topic, murmur2(symbol.encode(), counts[topic])), symbol)


class Reader:
    """Events of some types under some keys, read on from offsets; each is yielded once."""

    def __init__(
        self, log: Log, starts: dict[Place, int], spots: set[Spot], types: frozenset[str]
    ) -> None:
        """Begin at ``starts``."""
        self._codec = log.codec
        self._stopping = log.stopping
        self._types = types
        self._keys: dict[Place, set[bytes]] = {}
        for spot in spots:
            if spot.key:
                self._keys.setdefault(spot.place, set()).add(spot.key.encode())
        self.positions = {place: max(start, 0) for place, start in starts.items()}
        self._consumer = open_consumer(log.settings)
        self._consumer.assign(
            [TopicPartition(*at, offset) for at, offset in self.positions.items()]
        )

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    @property
    def is_stopping(self) -> bool:
        """Tell whether nothing is waited for any more."""
        return self._stopping.is_set()

    def is_before(self, ends: dict[Place, int]) -> bool:
        """Tell whether something before ``ends`` (exclusive) was not read yet."""
        return any(self.positions[place] < end for place, end in ends.items())

    def events(
        self, deadline: float, ends: dict[Place, int] | None = None
    ) -> Iterator[tuple[EventPlace, Event]]:
        """Yield what comes and its place, until a monotonic ``deadline`` or up to the offsets ``ends`` (exclusive)."""
        while time.monotonic() < deadline and not self.is_stopping:
            if ends is not None and not self.is_before(ends):
                return
            for message in self._consumer.consume(_BATCH_MAX, timeout=_POLL_S):
                place = (message.topic() or "", message.partition() or 0)
                offset = message.offset() or 0
                if error := message.error():
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise translate(KafkaException(error), f"reading {message.topic()}")
                    self.positions[place] = max(self.positions[place], offset)
                    continue
                self.positions[place] = offset + 1
                event = self._event(place, message.key(), message.value())
                if event is not None:
                    yield (*place, offset), event

    def _event(self, place: Place, key: bytes | None, value: bytes | None) -> Event | None:
        keys = self._keys.get(place)
        try:
            if keys is not None and key not in keys:
                return None
            if self._codec.type_name(value) not in self._types:
                return None
            return self._codec.decode(value).event
        except BadEvent:
            return None
