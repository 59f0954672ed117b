"""The log as a replay reads it: each trigger with its recorded answers, in the log's order, in bounded memory.

A trigger's answers stand after it, perhaps after the symbol's next triggers, and a decision counts from its trigger's
offset on. So each partition is read twice at once: by one reader that folds, and by one that runs ahead to the answers
of the trigger where the first one stands. Answers stand in the order of their triggers, so the second keeps none back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from services.decider.replay.memories import Memories
from services.decider.views.manual_acts import ManualTrigger
from services.decider.views.view import Trigger
from tradetrail.events import Event
from tradetrail.events.generated import (
    ApiCallRecorded,
    DecisionDeclined,
    DecisionMade,
    OrderSubmitting,
    OrderUpdated,
)
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.entry import read_entry
from tradetrail.log.reader import Place, Received

Answer = DecisionMade | DecisionDeclined
ANSWERS = frozenset({DecisionMade.TYPE, DecisionDeclined.TYPE})
# Not worth their decoding: no view holds anything of them, readable or not.
_UNSEEN = frozenset({ApiCallRecorded.TYPE, OrderSubmitting.TYPE, OrderUpdated.TYPE})

Read = Callable[[Place], Iterator[Received]]
"""Reads a partition from its beginning to the captured end."""


@dataclass(frozen=True, slots=True)
class Step:
    """A trigger, as each look-back (days) has it, with its recorded answers.

    ``was_passed``: the decider answered a later trigger of the partition. ``is_whole``: no further answer to this one
    can be in a transaction that was still open when the end was captured.
    """

    place: Place
    triggers: Mapping[int, Trigger | ManualTrigger]
    answers: tuple[Answer, ...]
    was_passed: bool
    is_whole: bool

    @property
    def trigger(self) -> Trigger | ManualTrigger:
        """Return the trigger, apart from what depends on a look-back."""
        return next(iter(self.triggers.values()))


@dataclass(frozen=True, slots=True)
class Stray:
    """An answer to a trigger that the log does not have."""

    place: Place
    answer: Answer


class Ahead:
    """The recorded answers of one partition, each read when its trigger is reached. Used by one thread."""

    def __init__(self, codec: Codec, messages: Iterator[Received], symbol: str | None) -> None:
        """Read ``messages``; with ``symbol`` the answers of this symbol only."""
        self._codec = codec
        self._messages = messages
        self._key = None if symbol is None else symbol.encode()
        self._head: Answer | None = None
        self._has_ended = False
        self._next_offset = 0
        self._unreadable: set[int] = set()
        self._answered_through = -1

    def take(self, offset: int) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
        """Return the answers to the trigger at ``offset``, and those before them that are to none."""
        strays, found = [], []
        while (answer := self._peek()) is not None and _asked_at(answer) < offset:
            strays.append(self._pop(answer))
        while (answer := self._peek()) is not None and _asked_at(answer) == offset:
            found.append(self._pop(answer))
        return tuple(found), tuple(strays)

    def rest(self) -> Iterator[Answer]:
        """Yield what is left when the last trigger is taken."""
        while (answer := self._peek()) is not None:
            yield self._pop(answer)

    def was_passed(self, offset: int) -> bool:
        """Tell whether a trigger after ``offset`` has an answer; asked once the answers to ``offset`` are taken."""
        self._peek()
        return self._answered_through > offset

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing is left to read."""
        return self._peek() is None

    def has_read(self, offset: int) -> bool:
        """Tell whether the answer at ``offset`` was read and could be: nobody has to read it again."""
        return offset < self._next_offset and offset not in self._unreadable

    def _pop(self, answer: Answer) -> Answer:
        self._head = None
        return answer

    def _peek(self) -> Answer | None:
        while self._head is None and not self._has_ended:
            message = next(self._messages, None)
            if message is None:
                self._has_ended = True
            else:
                self._head = self._answer(message)
                self._next_offset = message.offset + 1
        return self._head

    def _answer(self, message: Received) -> Answer | None:
        try:
            if self._codec.type_name(message.value) not in ANSWERS:
                return None
            if self._key is not None and message.key != self._key:
                cause = self._codec.envelope(message.value)[1]["cause"]
                self._passed((cause or {}).get("offset", -1))
                return None
            decoded = self._codec.decode(message.value).event
        except BadEvent:
            self._unreadable.add(message.offset)
            return None
        event = as_answer(decoded)
        if event is None:
            return None
        self._passed(_asked_at(event))
        return event

    def _passed(self, offset: int) -> None:
        self._answered_through = max(self._answered_through, offset)


def as_answer(event: Event) -> Answer | None:
    """Return an event as an answer, None when it is none."""
    return event if isinstance(event, DecisionMade | DecisionDeclined) else None


def _asked_at(answer: Answer) -> int:
    # Without a cause it is an answer to nothing: it comes before everything.
    return -1 if answer.cause is None else answer.cause.offset


class History:
    """Some partitions of the log, read once to captured ends and folded into a memory."""

    def __init__(
        self,
        codec: Codec,
        memories: Memories,
        read: Read,
        places: Mapping[Place, bool],
        symbol: str | None,
    ) -> None:
        """Read these places; the value says whether no transaction was open there when its end was captured."""
        self._codec = codec
        self._memories = memories
        self._read = read
        self._places = dict(places)
        self._symbol = symbol

    def walk(self, moved: Callable[[Place, int], None]) -> Iterator[Step | Stray]:
        """Yield each trigger, and each answer to none; ``moved`` hears of each event's place and offset.

        The memories stand at the trigger that was just yielded; which decisions count is the caller's to tell it.
        """
        for place in self._places:
            self._memories.begin(place)
            yield from self._walk(place, moved)
            self._memories.forget(place)

    def _walk(self, place: Place, moved: Callable[[Place, int], None]) -> Iterator[Step | Stray]:
        ahead = Ahead(self._codec, self._read(place), self._symbol)
        key = None if self._symbol is None else self._symbol.encode()
        for message in self._read(place):
            moved(place, message.offset)
            if key is not None and message.key != key:
                self._memories.saw(message)
                continue
            triggers = self._fold(message, ahead)
            if not triggers:
                continue
            answers, strays = ahead.take(message.offset)
            yield from (Stray(place, answer) for answer in strays)
            passed = ahead.was_passed(message.offset)
            whole = self._places[place] or not ahead.has_ended
            yield Step(place, triggers, answers, passed, whole)
        yield from (Stray(place, answer) for answer in ahead.rest())

    def _fold(self, message: Received, ahead: Ahead) -> Mapping[int, Trigger | ManualTrigger]:
        """Fold an event; answers count from their triggers on, by the caller, and are not folded here."""
        try:
            type_name = self._codec.type_name(message.value)
        except BadEvent:
            type_name = ""
        if type_name in _UNSEEN or (type_name in ANSWERS and ahead.has_read(message.offset)):
            self._memories.saw(message)
            return {}
        entry = read_entry(self._codec, message)
        if entry.decoded is not None and type_name in ANSWERS:
            self._memories.saw(message)
            return {}
        return self._memories.fold(entry)
