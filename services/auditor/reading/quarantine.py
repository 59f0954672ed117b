"""Dead letters: an event that can't be read or stored is published whole, with the reason, before its batch commits."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from services.auditor.entry import Entry
from tradetrail.clock import Clock
from tradetrail.errors import Poison
from tradetrail.events.generated import EventDeadLettered
from tradetrail.ids import derive_id
from tradetrail.log.configuration import Stamp
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.topics import Topics

log = structlog.get_logger(__name__)


class Quarantine:
    """Publishes dead letters. Doing so again after a crash repeats the same event id, which counts once."""

    def __init__(self, producer: EventProducer, topics: Topics, stamp: Stamp, clock: Clock) -> None:
        """Publish through ``producer``, in the name of ``stamp``."""
        self._producer = producer
        self._topics = topics
        self._stamp = stamp
        self._clock = clock

    def publish(self, entries: Iterable[Entry]) -> None:
        """Publish the bad ones among ``entries`` and wait until they are confirmed. Raises Retryable if they aren't."""
        for entry in entries:
            if entry.bad is not None:
                self._publish(entry)

    def _publish(self, entry: Entry) -> None:
        topic, partition, offset = entry.place
        letter = self._letter(entry)
        outgoing = Outgoing(self._topics.dead_letters, f"{topic}-{partition}", letter)
        try:
            self._producer.send([outgoing])
        except Poison as error:
            # Too large even for dead letters: its bytes and the reason are in the database, which is all there can be.
            log.error("the dead letter itself can't be sent", error=str(error))
        log.error(
            "an event went to dead letters",
            topic=topic,
            partition=partition,
            offset=offset,
            code=letter.reason_code,
            reason=letter.reason,
        )

    def _letter(self, entry: Entry) -> EventDeadLettered:
        if entry.bad is None:
            raise ValueError(f"the event at {entry.place} is readable")
        topic, partition, offset = entry.place
        return EventDeadLettered(
            event_id=str(derive_id("dead-letter", topic, partition, offset)),
            **self._stamp.envelope(self._clock.now()),
            source_topic=topic,
            source_partition=partition,
            source_offset=offset,
            source_key=entry.message.key,
            source_value=entry.message.value,
            reason_code=entry.bad.code,
            reason=str(entry.bad),
            schema_id=entry.claimed_schema_id,
        )
