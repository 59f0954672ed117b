"""The reference topic as the decider follows it: no group, so that every replica reads all of it."""

from __future__ import annotations

import structlog
from confluent_kafka import Message

from services.decider.views.reference import FACTS, ReferenceBook
from tradetrail.events.generated import Cause, LogPosition
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.follower import Follower
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# A decision waits for it. Only committed events are read, so no open transaction is waited for: longer than this takes
# nothing but a broker that is away.
READ_TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)


class ReferenceFeed:
    """Keeps a book of the topic's facts up to date on demand. Used by one thread."""

    def __init__(self, settings: SharedSettings, codec: Codec, topics: Topics) -> None:
        """Prepare; the broker is asked at the first reading."""
        self._codec = codec
        self._follower = Follower(
            settings, [topics.reference], committed_only=True, timeout_s=READ_TIMEOUT_S
        )
        self.book = ReferenceBook()

    def up_to_date(self) -> tuple[LogPosition, ...]:
        """Read to the present committed ends; return the last offset read of each partition that has any, in order.

        Costs one request for the ends when nothing is new. Raises Retryable when the ends can't be had or reached in
        ``READ_TIMEOUT_S``; the next call then reads everything again.
        """
        try:
            for message in self._follower.catch_up():
                self._take(message)
        except BaseException:
            # The follower begins anew as well: part of what was read may have been taken and part not.
            self.book = ReferenceBook()
            raise
        return tuple(
            LogPosition(topic=topic, partition=partition, offset=end - 1)
            for (topic, partition), end in sorted(self._follower.positions.items())
            if end > 0
        )

    def close(self) -> None:
        """Close the connections."""
        self._follower.close()

    def _take(self, message: Message) -> None:
        topic, partition, offset = (
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
        )
        try:
            if self._codec.type_name(message.value()) not in FACTS:
                return
            event = self._codec.decode(message.value()).event
        except BadEvent as error:
            # The auditor puts it into dead letters; here it tells nothing.
            log.error(
                "skipping an event that can't be read",
                topic=topic,
                partition=partition,
                offset=offset,
                error=str(error),
            )
            return
        place = Cause(topic=topic, partition=partition, offset=offset, event_id=event.event_id)
        self.book.take(event, place)
