"""All that runs need to know from the log: runs, known records, committee seats, sectors. Read, then followed."""

from __future__ import annotations

import structlog
from confluent_kafka import Message

from services.ingestor.known.ledger import Ledger, known_of
from services.ingestor.known.runbook import RUN_TYPES, RunBook
from services.ingestor.rows.seats import SeatBook
from services.ingestor.rows.sectors import SectorBook
from tradetrail.events.generated import (
    CommitteeMembershipRecorded,
    DeadLetterReason,
    RecordKept,
    SectorRecorded,
)
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.follower import Follower
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

log = structlog.get_logger(__name__)


class Memory:
    """Folds of the runs, reference and state topics, brought to the topics' ends on demand."""

    def __init__(self, settings: SharedSettings, codec: Codec, topics: Topics) -> None:
        """Begin empty; ``catch_up`` fills it."""
        self._settings = settings
        self._codec = codec
        self._topics = topics
        # Asked for each of a hundred thousand messages.
        self._runs_topic, self._state_topic = topics.runs, topics.ingestor_state
        self._begin()

    def _begin(self) -> None:
        topics = self._topics
        self._follower = Follower(
            self._settings, [topics.runs, topics.reference, topics.ingestor_state]
        )
        self._ledgers: dict[str, Ledger] = {}
        self.runs = RunBook()
        self.seats = SeatBook()
        self.sectors = SectorBook()

    def close(self) -> None:
        """Close the connection."""
        self._follower.close()

    def ledger(self, data_source: str) -> Ledger:
        """Return the known records of a data source."""
        if data_source not in self._ledgers:
            self._ledgers[data_source] = Ledger(data_source)
        return self._ledgers[data_source]

    def catch_up(self) -> None:
        """Read all three topics to their ends.

        Raises Retryable when that takes too long or a server is away; the next call then reads from the beginning,
        since part of a batch may have been taken and part not.
        """
        try:
            self._catch_up()
        except BaseException:
            self._follower.close()
            self._begin()
            raise

    def _catch_up(self) -> None:
        for message in self._follower.catch_up():
            try:
                self._take(message)
            except BadEvent as error:
                # The auditor puts it into dead letters; here it tells nothing.
                log.error(
                    "skipping an event that can't be read",
                    topic=message.topic(),
                    partition=message.partition(),
                    offset=message.offset(),
                    error=str(error),
                )

    def _take(self, message: Message) -> None:
        topic, value = message.topic(), message.value()
        if topic == self._state_topic:
            self._take_state(message.key(), value)
        elif topic == self._runs_topic:
            if self._codec.envelope(value)[0] in RUN_TYPES:
                self.runs.take(self._codec.decode(value).event)
        else:
            event = self._codec.decode(value).event
            if isinstance(event, CommitteeMembershipRecorded):
                self.seats.take(event)
            elif isinstance(event, SectorRecorded):
                self.sectors.take(event)

    def _take_state(self, key: bytes | None, value: bytes | None) -> None:
        if value is None:
            for ledger in self._ledgers.values():
                ledger.forget((key or b"").decode(errors="replace"))
            return
        decoded = self._codec.decode(value)
        if decoded.type_name != RecordKept.TYPE:
            return
        # The plain datum: of a hundred thousand entries a typed event each would take longer than all the rest.
        datum = decoded.datum
        try:
            known = known_of(
                datum["record_id"],
                datum["version"],
                datum["content_hash"],
                datum["identity"],
                datum["symbol"],
            )
        except ValueError as error:
            raise BadEvent(
                DeadLetterReason.BROKEN_BODY, f"{error}; run the ingestor with --rebuild-state"
            ) from error
        self.ledger(datum["data_source"]).take(known)
