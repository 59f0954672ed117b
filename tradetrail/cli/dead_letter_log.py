"""Appends the event of a dead letter anew, once, byte for byte, with the act that says who and why, in one transaction.

All is judged by the log: the letter, whether its event can be read now, and what stands between it and its new place.
One requeue at a time goes on in a partition: a second one fences the first, whose transaction then fails.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException, Message, Producer, murmur2

from tradetrail.acts.asking import SEARCH_TIMEOUT_S
from tradetrail.acts.log import Log, Reader, Spot, open_log
from tradetrail.cli.dead_letter_followers import Followers
from tradetrail.clock import open_clock
from tradetrail.errors import Fatal, Retryable, TradetrailError, Unreachable, UsageError
from tradetrail.events.generated import (
    Cause,
    DeadLetterReason,
    EventDeadLettered,
    OperatorAct,
    OperatorActed,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import BadEvent, Decoded
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_producer, translate
from tradetrail.log.producer import INIT_TIMEOUT_S
from tradetrail.log.reader import Received, end_offsets, partition_counts, read_range
from tradetrail.requeues import EventPlace, place_text, requeue_arguments
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Requeued:
    """Where the event stands now, and the act that says so."""

    place: EventPlace
    act_id: str
    event_id: str
    type_name: str
    looked_at: int


class Requeuer:
    """Requeues letters of one log."""

    def __init__(self, settings: SharedSettings) -> None:
        """Open the log. Raises UsageError when it isn't provisioned, Retryable while a server is away."""
        self._log: Log = open_log(settings)
        self._settings = settings

    def requeue(self, place: EventPlace, who: str, why: str) -> Requeued:
        """Append the event at ``place`` anew.

        Raises UsageError, which names the reason, when it must not be, Unreachable when it isn't known whether it was,
        Retryable while a server is away.
        """
        letter, others = self._letter(place)
        if letter.reason_code is DeadLetterReason.NOT_STORABLE:
            raise UsageError(
                f"the event at {place_text(place)} can be read, and every service took it in at its place; only the "
                f"audit tables refuse what it says ({letter.reason}). Once they take it, `tradetrail rebuild --topic "
                f"{place[0]}` projects it again from there"
            )
        message, decoded = self._event(place)
        topic, partition, offset = place
        producer = self._take_over(topic, partition)
        end = end_offsets(self._settings, [(topic, partition)])[topic, partition]
        followers = Followers(self._log, message, decoded, others)
        followers.look(offset + 1, end)
        followers.refuse()
        envelope = self._log.stamp.envelope(open_clock(self._settings.clock_url).now())
        try:
            producer.begin_transaction()
            new = self._send(producer, message, message.value or b"")
            # Also what is not committed yet: it stands before the new place, and may be by then.
            followers.look(end, new, committed_only=False)
            followers.refuse()
            act = _act(envelope, letter, decoded, (topic, partition, new), who, why)
            self._send(producer, message, self._log.codec.encode(act))
        except TradetrailError as why:
            _undo(producer, place, why)
            raise
        except KafkaException as error:
            raise _translated(error, place) from error
        try:
            producer.commit_transaction(INIT_TIMEOUT_S)
        except KafkaException as error:
            raise _translated(error, place, in_doubt=True) from error
        return Requeued(
            (topic, partition, new),
            act.event_id,
            decoded.datum["event_id"],
            decoded.type_name,
            followers.looked_at,
        )

    def _letter(self, place: EventPlace) -> tuple[EventDeadLettered, set[int]]:
        """Return the letter of ``place``, and the offsets of its partition's other letters."""
        topic, partition, offset = place
        topics = self._log.topics
        allowed = [*topics.trade(), topics.runs, topics.reference, topics.account, topics.audit]
        if topic not in allowed:
            raise UsageError(
                f"events of {topic} are not requeued, only those of {', '.join(allowed)}: acts on control are given "
                "again by their own command, and state is made again by its service"
            )
        spot = Spot((topics.dead_letters, 0), f"{topic}-{partition}")
        ends = end_offsets(self._settings, [spot.place])
        found: EventDeadLettered | None = None
        others: set[int] = set()
        types = frozenset({EventDeadLettered.TYPE})
        with closing(Reader(self._log, {spot.place: 0}, {spot}, types)) as reader:
            for _, event in reader.events(time.monotonic() + SEARCH_TIMEOUT_S, ends):
                if not isinstance(event, EventDeadLettered):
                    continue
                if (event.source_topic, event.source_partition) != (topic, partition):
                    continue
                if event.source_offset == offset:
                    found = event
                else:
                    others.add(event.source_offset)
            if reader.is_before(ends):
                raise Unreachable(
                    f"{topics.dead_letters} can't be read to its end within {SEARCH_TIMEOUT_S:g} s; nothing was "
                    "appended: try again when Kafka is well (`tradetrail doctor`)"
                )
        if found is None:
            raise UsageError(
                f"there is no dead letter of {place_text(place)}: `tradetrail dead-letters list` shows those there are"
            )
        return found, others

    def _event(self, place: EventPlace) -> tuple[Received, Decoded]:
        """Return the event as it stands in the log and what it says. Raises UsageError while it can't be read."""
        topic, partition, offset = place
        at = (topic, partition)
        message = next(iter(read_range(self._settings, {at: offset}, {at: offset + 1})), None)
        if message is None or message.offset != offset:
            raise UsageError(f"the log holds no committed event at {place_text(place)} any more")
        try:
            decoded = self._log.codec.decode(message.value)
        except BadEvent as bad:
            raise UsageError(
                f"the event at {place_text(place)} still can't be read ({bad.code}: {bad}); nothing was appended. "
                "Requeue it when its schema is in the registry, or this version knows its type"
            ) from bad
        key = (message.key or b"").decode(errors="replace")
        symbol = decoded.datum["symbol"]
        if topic in self._log.topics.trade() and key != symbol:
            raise UsageError(
                f"the event at {place_text(place)} is about {symbol} and has the key {key!r}: requeued it would stand "
                "out of the symbol's order; nothing was appended"
            )
        counts = partition_counts(self._settings, [topic])
        if message.key is not None and murmur2(message.key, counts[topic]) != partition:
            raise UsageError(
                f"the key of the event at {place_text(place)} belongs into another partition: requeued it would stand "
                "out of its order; nothing was appended"
            )
        return message, decoded

    def _take_over(self, topic: str, partition: int) -> Producer:
        try:
            producer = open_producer(self._settings, f"requeue-{topic}-{partition}")
            producer.init_transactions(INIT_TIMEOUT_S)
        except KafkaException as error:
            raise translate(error, f"preparing to append to {topic}/{partition}") from error
        return producer

    def _send(self, producer: Producer, source: Received, value: bytes) -> int:
        """Append ``value`` under the source's key in its partition, and return its offset, not committed yet."""
        landed: list[Message] = []
        failed: list[Any] = []

        def delivered(error: Any, message: Message) -> None:
            (failed if error is not None else landed).append(error or message)

        producer.produce(
            source.topic,
            key=source.key,
            value=value,
            partition=source.partition,
            on_delivery=delivered,
        )
        try:
            producer.flush(REQUEST_TIMEOUT_S)
        except SystemError as error:
            # The client raises that another took over while it still calls back; Python then blames the callback.
            raise error.__cause__ or error from None
        offset = landed[0].offset() if landed else None
        if offset is None:
            raise Retryable(
                f"the broker did not take the event of {source.topic}/{source.partition}/{source.offset}: "
                f"{failed[0] if failed else 'time ran out'}; nothing was appended, try again"
            )
        return offset


def _undo(producer: Producer, place: EventPlace, why: TradetrailError) -> None:
    """Abort the transaction. Raises UsageError when another took over, and that is why the broker took nothing."""
    try:
        producer.abort_transaction(REQUEST_TIMEOUT_S)
    except KafkaException as error:
        # Who took over has aborted it; else the broker does, when its time is up.
        if isinstance(why, Retryable):
            raise _translated(error, place) from why


def _act(
    envelope: dict[str, Any],
    letter: EventDeadLettered,
    decoded: Decoded,
    new: EventPlace,
    who: str,
    why: str,
) -> OperatorActed:
    source = (letter.source_topic, letter.source_partition, letter.source_offset)
    event_id = decoded.datum["event_id"]
    return OperatorActed(
        event_id=str(derive_id("requeue", *source)),
        **envelope,
        cause=Cause(topic=new[0], partition=new[1], offset=new[2], event_id=event_id),
        symbol=decoded.datum["symbol"],
        story_id=decoded.datum["story_id"],
        act=OperatorAct.REQUEUE,
        operator=who,
        why=why,
        scope=place_text(source),
        arguments=requeue_arguments(source, event_id, new),
    )


def _translated(error: KafkaException, place: EventPlace, *, in_doubt: bool = False) -> Exception:
    ours = translate(error, f"appending the event of {place_text(place)} anew")
    if isinstance(ours, Fatal):
        return UsageError(
            f"another requeue in {place[0]}/{place[1]} went on at the same time and took over; nothing was appended: "
            f"look at `tradetrail dead-letters show {place_text(place)}` and try again"
        )
    if in_doubt:
        return Unreachable(
            f"it is not known whether it was appended: {ours}. The same command tells"
        )
    return ours
