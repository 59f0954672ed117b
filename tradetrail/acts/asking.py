"""Puts a person's act into the log and waits for its answer: what everyone does through whom a person acts.

Looked for first, appended once: an act that the log already holds is not appended again, and what was said to it is its
answer. Nothing here decides, sends or cancels anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tradetrail.acts.log import Log, Reader, Spot
from tradetrail.clock import open_clock
from tradetrail.errors import Retryable, Unreachable, UsageError
from tradetrail.events import Event
from tradetrail.events.generated import OperatorActed
from tradetrail.log.codec import BadEvent
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import Place, end_offsets, read_range
from tradetrail.requeues import EventPlace

# How far back an earlier use of a key is looked for, in events of the partition: about two seconds of reading.
SEARCH_EVENTS_MAX = 200_000
# That reading on a slow broker; longer, and something is wrong that asking again later may find mended.
SEARCH_TIMEOUT_S = 30.0

A = TypeVar("A")


class KeyTaken(UsageError):
    """A key already stands for another act; this one was not recorded."""


class InDoubt(Unreachable):
    """It is not known whether the log has an act; asking again under its key tells, and never acts twice."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How one speaks of what is asked for: "the order", "a decider", "nothing was ordered"."""

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


@dataclass(frozen=True, slots=True)
class Recorded(Generic[A]):
    """An act that the log holds: where, whether it did before it was asked for, and its answer, if there is one yet.

    ``place`` is None for one so old that only its answer was found. ``interrupted``: why its answer could not be waited
    for as long as meant.
    """

    place: EventPlace | None
    is_repeated: bool
    answer: A | None
    interrupted: Retryable | None = None


def ask(log: Log, question: Question[A], wait_s: float) -> A:
    """Append an act unless the log holds it, and return its answer, waited for up to ``wait_s``.

    Raises what ``record`` does, and Unreachable without an answer in time.
    """
    recorded = record(log, question, wait_s)
    if recorded.interrupted is not None:
        raise recorded.interrupted
    if recorded.answer is not None:
        return recorded.answer
    wording = question.wording
    topic, partition = question.spot.place
    raise Unreachable(
        f"no {wording.answerer} answered within {wait_s:g} s. {wording.thing.capitalize()} stands in the log ({topic}, "
        f"partition {partition}) and will be answered when {_article(wording.answerer)} runs (`tradetrail status`); "
        f"the same command with --key {question.key} asks again without {wording.twice} twice"
    )


def record(log: Log, question: Question[A], wait_s: float) -> Recorded[A]:
    """Append an act unless the log holds it, and wait up to ``wait_s`` for its answer.

    Raises KeyTaken when its key stands for another act, InDoubt when it isn't known whether the log has it; Unreachable
    or Retryable while a server is away, and then this call has recorded nothing.
    """
    places = {question.spot.place, question.answered_at.place}
    ends = end_offsets(log.settings, places)
    starts = {place: end - SEARCH_EVENTS_MAX for place, end in ends.items()}
    spots = {question.spot, question.answered_at}
    with closing(Reader(log, starts, spots, question.types)) as reader:
        looked = look_for(log, reader, question, ends)
        if looked.answer is not None:
            return Recorded(looked.place, True, looked.answer)
        place = looked.place
        if place is None or question.asks_again:
            place = append(log, question)
        waited = _wait(reader, question, wait_s)
    return Recorded(place, looked.place is not None, *waited)


def _wait(
    reader: Reader, question: Question[A], wait_s: float
) -> tuple[A | None, Retryable | None]:
    try:
        for _, event in reader.events(time.monotonic() + wait_s):
            if (answer := question.answer_in(event)) is not None:
                return answer, None
    except Retryable as error:
        # The act stands in the log, whatever becomes of the waiting.
        return None, error
    return None, None


@dataclass(frozen=True, slots=True)
class Looked(Generic[A]):
    """Where the act stands that first used the key, and its answer, as far as the log holds them."""

    place: EventPlace | None
    answer: A | None


def look_for(log: Log, reader: Reader, question: Question[A], ends: dict[Place, int]) -> Looked[A]:
    """Return the act that first used the key, and its answer, as far as the log holds them.

    ``ends``: up to where the log is settled; what lies past them under open transactions is looked at, too. Raises
    KeyTaken when that act is another one.
    """
    first: EventPlace | None = None
    for place, event in reader.events(time.monotonic() + SEARCH_TIMEOUT_S, ends):
        if (answer := question.answer_in(event)) is not None:
            return Looked(first or _cause_of(event), answer)
        if first is None and _is_first_use(question, event):
            first = place
    if reader.is_before(ends):
        raise Unreachable(
            f"the log of {question.spot.key} can't be read to its end within {SEARCH_TIMEOUT_S:g} s; "
            f"{question.wording.undone}: try again when Kafka is well (`tradetrail doctor`)"
        )
    if first is None:
        at = question.spot.place
        for place, event in _unsettled(log, at, ends[at]):
            if _is_first_use(question, event):
                return Looked(place, None)
    return Looked(first, None)


def _is_first_use(question: Question[Any], event: Event) -> bool:
    if not isinstance(event, OperatorActed) or not question.first_use(event):
        return False
    if event.event_id != question.act_id:
        raise KeyTaken(
            f"key {question.key} already stands for {question.contents(event)!r} by {event.operator!r}, "
            f"because {event.why!r}; {question.wording.undone}: repeat exactly that to see its answer, "
            "or begin anew with another key"
        )
    return True


def _cause_of(event: Event) -> EventPlace | None:
    cause = getattr(event, "cause", None)
    return None if cause is None else (cause.topic, cause.partition, cause.offset)


def _unsettled(log: Log, place: Place, end: int) -> Iterator[tuple[EventPlace, Event]]:
    """Yield the acts past ``end``, where others' transactions are open: acts are written without one."""
    high = end_offsets(log.settings, [place], committed_only=False)
    uncommitted = {"isolation.level": "read_uncommitted"}
    for message in read_range(log.settings, {place: end}, high, **uncommitted):
        try:
            if log.codec.type_name(message.value) == OperatorActed.TYPE:
                yield (*place, message.offset), log.codec.decode(message.value).event
        except BadEvent:
            continue


def append(log: Log, question: Question[Any]) -> EventPlace:
    """Put the act into the log and return where it stands.

    Raises InDoubt when it isn't known whether it stands there, Retryable when it doesn't.
    """
    event = question.event(log.stamp.envelope(open_clock(log.settings.clock_url).now()))
    producer = EventProducer(log.settings, log.codec)
    # Up to here a server that is away means that nothing was written: so both are asked ahead.
    log.codec.encode(event)
    producer.connect()
    topic, _ = question.spot.place
    try:
        (place,) = producer.send([Outgoing(topic, question.spot.key, event)])
    except Retryable as error:
        wording = question.wording
        raise InDoubt(
            f"it is not known whether the log has {wording.thing}: {error}. The same command with --key "
            f"{question.key} asks again without {wording.twice} twice"
        ) from error
    return place


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
