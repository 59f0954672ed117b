"""Puts a person's act into the log and waits for its answer: what every such command does.

Looked for first, appended once: an act that the log already holds is not appended again, and what was said to it is its
answer. Nothing here decides, sends or cancels anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition, murmur2

from tradetrail.clock import open_clock
from tradetrail.errors import Retryable, Unreachable, UsageError
from tradetrail.events import Event
from tradetrail.events.generated import OperatorActed
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.kafka import open_consumer, translate
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.provision import check_topology
from tradetrail.log.reader import Place, end_offsets, partition_counts
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# How far back an earlier use of a key is looked for, in events of the partition: about two seconds of reading.
SEARCH_EVENTS_MAX = 200_000
# That reading on a slow broker; longer, and something is wrong that asking again later may find mended.
SEARCH_TIMEOUT_S = 30.0
_BATCH_MAX = 5_000
# The client waits this long to fill a batch; an answer is seen so much later at most.
_POLL_S = 0.05

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Log:
    """A provisioned log, as a command uses it."""

    settings: SharedSettings
    codec: Codec
    topics: Topics


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands in the log: a partition, and the key within it; an empty key is any."""

    place: Place
    key: str


@dataclass(frozen=True, slots=True)
class Wording:
    """How a command speaks of what it asks for: "the order", "a decider", "nothing was ordered"."""

    thing: str
    answerer: str
    undone: str
    twice: str


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """An act, where it and its answer stand, and how both are known again.

    ``first_use`` tells whether an act used the same key; ``contents`` quotes it.
    """

    act_id: str
    key: str
    spot: Spot
    answered_at: Spot
    event: Callable[[dict[str, Any]], OperatorActed]
    first_use: Callable[[OperatorActed], bool]
    contents: Callable[[OperatorActed], str]
    answer_in: Callable[[Event], A | None]
    types: frozenset[str]
    wording: Wording
    asks_again: bool = False
    """Whether an act without an answer is appended again: its answerer may have died over it."""


def open_log(settings: SharedSettings) -> Log:
    """Return the log. Raises UsageError when it isn't provisioned, Retryable while a server is away."""
    codec, topics = Codec(settings.registry_url), Topics.of(settings)
    if not check_topology(settings, codec, topics):
        raise UsageError(
            "the log is not provisioned yet: run `tradetrail up`, or `python -m tradetrail.log.provision`"
        )
    return Log(settings, codec, topics)


def symbol_spot(log: Log, symbol: str) -> Spot:
    """Return where the symbol's events stand; keys are placed as our producers place them."""
    topic = log.topics.for_symbol(symbol)
    counts = partition_counts(log.settings, [topic])
    if topic not in counts:
        raise Unreachable(f"topic {topic} does not exist: run `tradetrail doctor`")
    return Spot((topic, murmur2(symbol.encode(), counts[topic])), symbol)


def ask(log: Log, question: Question[A], wait_s: float) -> A:
    """Append an act unless the log holds it, and return its answer, waited for up to ``wait_s``.

    Raises UsageError when its key stands for another act, Unreachable without an answer in time, Retryable while a
    server is away.
    """
    places = {question.spot.place, question.answered_at.place}
    ends = end_offsets(log.settings, places)
    starts = {place: end - SEARCH_EVENTS_MAX for place, end in ends.items()}
    keys = {question.spot, question.answered_at}
    wording = question.wording
    with closing(Reader(log, starts, keys, question.types)) as reader:
        looked = look_for(reader, question, ends)
        if looked.answer is not None:
            return looked.answer
        if looked.first is None or question.asks_again:
            append(log, question)
        for event in reader.events(time.monotonic() + wait_s):
            if (answer := question.answer_in(event)) is not None:
                return answer
    topic, partition = question.spot.place
    raise Unreachable(
        f"no {wording.answerer} answered within {wait_s:g} s. {wording.thing.capitalize()} stands in the log ({topic}, "
        f"partition {partition}) and will be answered when {_article(wording.answerer)} runs (`tradetrail status`); "
        f"the same command with --key {question.key} asks again without {wording.twice} twice"
    )


@dataclass(frozen=True, slots=True)
class Looked(Generic[A]):
    """The act that first used the key, and its answer, as far as the log holds them."""

    first: OperatorActed | None
    answer: A | None


def look_for(reader: Reader, question: Question[A], ends: dict[Place, int]) -> Looked[A]:
    """Return the act that first used the key, and its answer, as far as they stand before ``ends``.

    Raises UsageError when that act is another one.
    """
    first: OperatorActed | None = None
    for event in reader.events(time.monotonic() + SEARCH_TIMEOUT_S, ends):
        if (answer := question.answer_in(event)) is not None:
            return Looked(first, answer)
        if first is None and isinstance(event, OperatorActed) and question.first_use(event):
            first = event
            if event.event_id != question.act_id:
                raise UsageError(
                    f"key {question.key} already stands for {question.contents(event)!r} by {event.operator!r}, "
                    f"because {event.why!r}; {question.wording.undone}: repeat exactly that to see its answer, "
                    f"or leave --key out to begin anew"
                )
    if reader.is_before(ends):
        raise Unreachable(
            f"the log of {question.spot.key} can't be read to its end within {SEARCH_TIMEOUT_S:g} s; "
            f"{question.wording.undone}: try again when Kafka is well (`tradetrail doctor`)"
        )
    return Looked(first, None)


def append(log: Log, question: Question[A]) -> None:
    """Put the act into the log. Raises Unreachable when it isn't known whether it stands there."""
    settings = log.settings
    envelope = Stamp("cli", settings.instance).envelope(open_clock(settings.clock_url).now())
    topic, _ = question.spot.place
    try:
        EventProducer(settings, log.codec).send(
            [Outgoing(topic, question.spot.key, question.event(envelope))]
        )
    except Retryable as error:
        raise Unreachable(
            f"it is not known whether the log has {question.wording.thing}: {error}. The same command with --key "
            f"{question.key} asks again without {question.wording.twice} twice"
        ) from error


class Reader:
    """Events of some types under some keys, read on from offsets; each is yielded once."""

    def __init__(
        self, log: Log, starts: dict[Place, int], spots: set[Spot], types: frozenset[str]
    ) -> None:
        """Begin at ``starts``."""
        self._codec = log.codec
        self._types = types
        self._keys: dict[Place, set[bytes]] = {}
        for spot in spots - {spot for spot in spots if not spot.key}:
            self._keys.setdefault(spot.place, set()).add(spot.key.encode())
        self.positions = {place: max(start, 0) for place, start in starts.items()}
        self._consumer = open_consumer(log.settings)
        self._consumer.assign(
            [TopicPartition(*at, offset) for at, offset in self.positions.items()]
        )

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def is_before(self, ends: dict[Place, int]) -> bool:
        """Tell whether something before ``ends`` (exclusive) was not read yet."""
        return any(self.positions[place] < end for place, end in ends.items())

    def events(self, deadline: float, ends: dict[Place, int] | None = None) -> Iterator[Event]:
        """Yield what comes until a monotonic ``deadline``, or up to the offsets ``ends`` (exclusive)."""
        while time.monotonic() < deadline and (ends is None or self.is_before(ends)):
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
                    yield event

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


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
