"""What stands after a dead letter's event under its key: whether that was appended anew, what rests on it."""

from __future__ import annotations

from typing import Any

from tradetrail.acts.log import Log
from tradetrail.errors import UsageError
from tradetrail.events.generated import OperatorAct, OperatorActed
from tradetrail.log.codec import BadEvent, Decoded
from tradetrail.log.reader import Received, end_offsets, read_range
from tradetrail.requeues import EventPlace, depends, place_text, read_requeue

# What may rest on the event is remembered up to this; were it more, one of them surely does.
_CANDIDATES_MAX = 10_000


class Followers:
    """Looks at what follows one event in its partition, bounded in memory."""

    def __init__(self, log: Log, message: Received, decoded: Decoded, letters: set[int]) -> None:
        """``letters``: offsets of the partition's other dead letters; what no service read rests on nothing."""
        self._log = log
        self._message = message
        self._decoded = decoded
        self._letters = letters
        self._candidates: dict[int, str] = {}
        self._requeued_earlier: set[int] = set()
        self.looked_at = 0

    def look(self, start: int, end: int, *, committed_only: bool = True) -> None:
        """Take in what stands from ``start`` to ``end`` (exclusive).

        Raises UsageError when the event was appended anew there, Retryable while a server is away.
        """
        isolation = "read_committed" if committed_only else "read_uncommitted"
        overrides: dict[str, Any] = {"isolation.level": isolation}
        at = self._message.place
        for found in read_range(self._log.settings, {at: start}, {at: end}, **overrides):
            self.looked_at += 1
            if found.key == self._message.key and found.offset not in self._letters:
                self._take(found)

    def refuse(self) -> None:
        """Raise UsageError when a later event rests on the order in which they stand."""
        for offset, text in self._candidates.items():
            # An earlier letter's event that was requeued stood before this one and does so again.
            if offset not in self._requeued_earlier:
                raise UsageError(
                    f"the event of {place_text(self._place)} can't be appended anew: a later event rests on the order "
                    f"in which they stand: {text}. Nothing was appended; docs/dead-letters.md tells the rule and what "
                    "to do instead"
                )

    @property
    def _place(self) -> EventPlace:
        return (self._message.topic, self._message.partition, self._message.offset)

    def _take(self, found: Received) -> None:
        where = place_text((found.topic, found.partition, found.offset))
        try:
            said = self._log.codec.decode(found.value)
        except BadEvent as bad:
            self._note(found.offset, f"an event that can't be read, at {where}: {bad}")
            return
        if said.datum["event_id"] == self._decoded.datum["event_id"]:
            raise UsageError(
                f"the event of {place_text(self._place)} was appended anew already: it stands at {where} "
                f"({self._by_whom(found.offset)}); nothing was appended"
            )
        requeue = _requeue_of(said)
        if requeue is not None and requeue[0][:2] == found.place and requeue[0] < self._place:
            self._requeued_earlier.add(requeue[1][2])
        kind, name = (each.type_name.rpartition(".")[2] for each in (self._decoded, said))
        if depends(kind, self._decoded.datum, name, said.datum):
            self._note(found.offset, f"{name} at {where}")

    def _note(self, offset: int, text: str) -> None:
        if len(self._candidates) < _CANDIDATES_MAX:
            self._candidates[offset] = text

    def _by_whom(self, offset: int) -> str:
        """Return who had the event appended at ``offset``."""
        at = self._message.place
        end = end_offsets(self._log.settings, [at])[at]
        for found in read_range(self._log.settings, {at: offset}, {at: end}):
            try:
                said = self._log.codec.decode(found.value)
            except BadEvent:
                continue
            requeue = _requeue_of(said)
            if requeue is not None and requeue[0] == self._place:
                return f"by {said.datum['operator']}, because {said.datum['why']!r}"
        return "not by a requeue"


def _requeue_of(said: Decoded) -> tuple[EventPlace, EventPlace] | None:
    if said.type_name != OperatorActed.TYPE or said.datum["act"] != OperatorAct.REQUEUE:
        return None
    return read_requeue(said.datum["arguments"])
