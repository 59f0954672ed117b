"""Read topics to their end, again and again, each event once.

The end is the high watermark, not the last stable offset: an open transaction must not hide what follows it, since a
reader that takes a known thing for unknown would do it twice. A reader that does nothing by what it reads may ask for
what is committed alone, and then waits for no transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from tradetrail.errors import Retryable
from tradetrail.log.kafka import open_consumer, translate
from tradetrail.log.reader import LogEnds, Place, places_of
from tradetrail.settings import SharedSettings

# An open transaction ends by itself after its timeout (60 s for a run's last) and the broker's next check (10 s).
CATCH_UP_TIMEOUT_S = 90.0
_BATCH_MAX = 5_000
# The client waits this long to fill a batch, so it bounds what a short read costs.
_POLL_S = 0.01


class Follower:
    """Reads some topics from the beginning, on demand, up to their present ends."""

    def __init__(
        self,
        settings: SharedSettings,
        topics: Sequence[str],
        *,
        committed_only: bool = False,
        timeout_s: float = CATCH_UP_TIMEOUT_S,
    ) -> None:
        """Prepare; the broker is asked at the first reading. ``timeout_s`` bounds each reading, real seconds."""
        self._settings = settings
        self._topics = list(topics)
        self._timeout_s = timeout_s
        self._ends = LogEnds(settings, committed_only=committed_only)
        self._consumer = open_consumer(settings)
        self._positions: dict[Place, int] = {}

    @property
    def positions(self) -> dict[Place, int]:
        """Return the offset after the last event read of each place; empty before the first reading."""
        return dict(self._positions)

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()
        self._ends.close()

    def catch_up(self) -> Iterator[Message]:
        """Yield what was appended since the last call. Raises Retryable when the end can't be reached in time.

        A caller that stops in the middle begins at the beginning next time: what it had not taken yet is not lost.
        """
        reached = False
        try:
            yield from self._catch_up()
            reached = True
        finally:
            if not reached:
                self._positions = {}

    def _catch_up(self) -> Iterator[Message]:
        if not self._positions:
            self._assign()
        ends = self._ends.read(self._positions)
        deadline = time.monotonic() + self._timeout_s
        while behind := [place for place, end in ends.items() if self._positions[place] < end]:
            if time.monotonic() > deadline:
                raise Retryable(
                    f"{behind} could not be read to the end within {self._timeout_s:.0f} s: does a transaction hang?"
                )
            yield from self._take()

    def _take(self) -> Iterator[Message]:
        first = self._consumer.poll(0.2)
        if first is None:
            return
        for message in (first, *self._consumer.consume(_BATCH_MAX, timeout=_POLL_S)):
            place = (message.topic() or "", message.partition() or 0)
            offset = message.offset() or 0
            if error := message.error():
                if error.code() != KafkaError._PARTITION_EOF:
                    raise translate(KafkaException(error), f"reading {place}")
                self._positions[place] = max(self._positions[place], offset)
            else:
                self._positions[place] = offset + 1
                yield message

    def _assign(self) -> None:
        places = places_of(self._settings, self._topics)
        if missing := set(self._topics) - {topic for topic, _ in places}:
            raise Retryable(
                f"topics {sorted(missing)} don't exist yet; provision the log (python -m tradetrail.log.provision)"
            )
        self._consumer.assign([TopicPartition(topic, number, 0) for topic, number in places])
        self._positions = dict.fromkeys(places, 0)
