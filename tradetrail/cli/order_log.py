"""Puts a person's order into the log and waits for the decider's answer.

Looked for first, appended once: a submission that the symbol's partition already holds is not appended again, and what
the decider said to it is its answer. Nothing here decides or sends an order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from confluent_kafka import KafkaError, KafkaException, TopicPartition, murmur2

from tradetrail.clock import open_clock
from tradetrail.errors import Retryable, Unreachable, UsageError
from tradetrail.events import Event
from tradetrail.events.generated import (
    DecisionDeclined,
    DecisionMade,
    OperatorAct,
    OperatorActed,
)
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.kafka import open_consumer, translate
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.provision import check_topology
from tradetrail.log.reader import Place, end_offsets, partition_counts
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.manual_orders import Submission, read_act
from tradetrail.settings import SharedSettings

# How far back an earlier use of a key is looked for, in events of the partition: about two seconds of reading.
SEARCH_EVENTS_MAX = 200_000
# That reading on a slow broker; longer, and something is wrong that asking again later may find mended.
SEARCH_TIMEOUT_S = 30.0
_BATCH_MAX = 5_000
# The client waits this long to fill a batch; an answer is seen so much later at most.
_POLL_S = 0.05
_READ = frozenset({OperatorActed.TYPE, DecisionMade.TYPE, DecisionDeclined.TYPE})

Answer = DecisionMade | DecisionDeclined


def ask(settings: SharedSettings, submission: Submission, wait_s: float) -> Answer:
    """Append ``submission`` unless the log holds it, and return the decider's answer, waited for up to ``wait_s``.

    Raises UsageError when its key stands for another order, Unreachable without an answer in time, Retryable while a
    server is away.
    """
    codec, topics = Codec(settings.registry_url), Topics.of(settings)
    if not check_topology(settings, codec, topics):
        raise UsageError(
            "the log is not provisioned yet: run `tradetrail up`, or `python -m tradetrail.log.provision`"
        )
    place = _place_of(settings, topics, submission.order.symbol)
    end = end_offsets(settings, [place])[place]
    symbol = _Symbol(settings, codec, place, submission.order.symbol, end - SEARCH_EVENTS_MAX)
    with closing(symbol):
        first, answer = _look_for(symbol, submission, end)
        if answer is not None:
            return answer
        if first is None:
            _append(settings, codec, topics, submission)
        for event in symbol.events(time.monotonic() + wait_s):
            if (answer := _answer_in(event, submission)) is not None:
                return answer
    raise Unreachable(
        f"no decider answered within {wait_s:g} s. The order stands in the log ({place[0]}, partition {place[1]}) and "
        f"will be answered when a decider runs (`tradetrail status`); the same command with --key {submission.key} "
        "asks again without ordering twice"
    )


def _look_for(
    symbol: _Symbol, submission: Submission, end: int
) -> tuple[OperatorActed | None, Answer | None]:
    """Return the act that first used the key, and its answer, as far as they stand before ``end``."""
    first: OperatorActed | None = None
    for event in symbol.events(time.monotonic() + SEARCH_TIMEOUT_S, end):
        if (answer := _answer_in(event, submission)) is not None:
            return first, answer
        if (
            first is None
            and isinstance(event, OperatorActed)
            and event.act is OperatorAct.MANUAL_ORDER
            and event.decision_id == submission.decision_id
        ):
            first = event
            if event.event_id != submission.act_id:
                raise UsageError(_other_contents(event, submission))
    if symbol.position < end:
        raise Unreachable(
            f"the log of {submission.order.symbol} can't be read to its end within {SEARCH_TIMEOUT_S:g} s; nothing was "
            "ordered: try again when Kafka is well (`tradetrail doctor`)"
        )
    return first, None


def _other_contents(act: OperatorActed, submission: Submission) -> str:
    try:
        ordered = read_act(act, submission.order.symbol).order.text
    except Exception:  # noqa: BLE001 (a foreign act may say anything; it is only quoted)
        ordered = act.arguments[:200]
    return (
        f"key {submission.key} already stands for {ordered!r} by {act.operator!r}, because {act.why!r}; nothing was "
        "ordered: repeat exactly that to see its answer, or leave --key out to order anew"
    )


def _answer_in(event: Event, submission: Submission) -> Answer | None:
    """Return the event when it answers exactly this submission."""
    if not isinstance(event, DecisionMade | DecisionDeclined) or event.cause is None:
        return None
    return event if event.cause.event_id == submission.act_id else None


def _append(settings: SharedSettings, codec: Codec, topics: Topics, submission: Submission) -> None:
    symbol = submission.order.symbol
    envelope = Stamp("cli", settings.instance).envelope(open_clock(settings.clock_url).now())
    outgoing = Outgoing(topics.for_symbol(symbol), symbol, submission.act(envelope))
    try:
        EventProducer(settings, codec).send([outgoing])
    except Retryable as error:
        raise Unreachable(
            f"it is not known whether the log has the order: {error}. The same command with --key {submission.key} "
            "asks again without ordering twice"
        ) from error


def _place_of(settings: SharedSettings, topics: Topics, symbol: str) -> Place:
    """Return where the symbol's events stand; keys are placed as our producers place them."""
    topic = topics.for_symbol(symbol)
    counts = partition_counts(settings, [topic])
    if topic not in counts:
        raise Unreachable(f"topic {topic} does not exist: run `tradetrail doctor`")
    return topic, murmur2(symbol.encode(), counts[topic])


class _Symbol:
    """Acts and answers of one symbol, read on from an offset; each is yielded once."""

    def __init__(
        self, settings: SharedSettings, codec: Codec, place: Place, symbol: str, start: int
    ) -> None:
        self._codec = codec
        self._key = symbol.encode()
        self.position = max(start, 0)
        self._consumer = open_consumer(settings)
        self._consumer.assign([TopicPartition(*place, self.position)])

    def close(self) -> None:
        self._consumer.close()

    def events(self, deadline: float, end: int | None = None) -> Iterator[Event]:
        """Yield what comes until a monotonic ``deadline``, or up to the offset ``end`` (exclusive)."""
        while time.monotonic() < deadline and (end is None or self.position < end):
            for message in self._consumer.consume(_BATCH_MAX, timeout=_POLL_S):
                offset = message.offset() or 0
                if error := message.error():
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise translate(KafkaException(error), f"reading {message.topic()}")
                    self.position = max(self.position, offset)
                    continue
                self.position = offset + 1
                event = self._event(message.key(), message.value())
                if event is not None:
                    yield event

    def _event(self, key: bytes | None, value: bytes | None) -> Event | None:
        try:
            if key != self._key or self._codec.type_name(value) not in _READ:
                return None
            return self._codec.decode(value).event
        except BadEvent:
            return None
