"""Halts and resumes: put on the control topic, and what every executor answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from tradetrail.acts.asking import (
    SEARCH_EVENTS_MAX,
    SEARCH_TIMEOUT_S,
    Question,
    Wording,
    append,
    look_for,
)
from tradetrail.acts.log import Log, Reader, Spot
from tradetrail.errors import Retryable
from tradetrail.events import Event
from tradetrail.events.generated import OperatorAct, OperatorActed, OperatorAnswered
from tradetrail.log.groups import Executors, Member
from tradetrail.log.reader import end_offsets
from tradetrail.operator_acts import EVERYTHING, HALTING, Asked, asked
from tradetrail.person import Told, made_by
from tradetrail.requeues import EventPlace

# How often the groups are asked who is still there.
MEMBERS_EVERY_S = 1.0
# An answer of an executor that then left is read within this.
LAST_WORD_S = 0.5
_TYPES = frozenset({OperatorActed.TYPE, OperatorAnswered.TYPE})


class Standing(StrEnum):
    """How an executor stands to an act."""

    ACKNOWLEDGED = "acknowledged"
    VANISHED = "vanished"
    """It was in the group and left it without an answer: dead or frozen."""
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Heard:
    """An executor that was in a group when the act was recorded, and its answer."""

    member: Member
    standing: Standing
    answer: OperatorAnswered | None


@dataclass(frozen=True, slots=True)
class Announced:
    """An act that the control topic holds: where, whether it did before, and what each executor made of it.

    ``interrupted``: why answers could not be waited for as long as meant. ``overtaken_by``: of an act recorded before,
    the later one that ended what it was for.
    """

    place: EventPlace
    is_repeated: bool
    heard: list[Heard]
    interrupted: Retryable | None = None
    overtaken_by: OperatorActed | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether every executor has answered, or none runs."""
        return self.interrupted is None and all(
            each.standing is Standing.ACKNOWLEDGED for each in self.heard
        )


def halt(scope: str, told: Told, *, cancel_open: bool) -> Asked:
    """Return a halt of ``scope``. Raises UsageError with what is wrong with it."""
    arguments = {"cancel_open": cancel_open}
    return made_by(told, lambda *named: asked(OperatorAct.HALT, scope, named, arguments))


def resume(scope: str, told: Told) -> Asked:
    """Return the end of a halt of ``scope``, or of every halt. Raises UsageError with what is wrong with it."""
    return made_by(told, lambda *named: asked(OperatorAct.RESUME, scope, named, {}))


def announce(log: Log, act: Asked, wait_s: float) -> list[Heard]:
    """Append ``act`` and return what each executor made of it, waited for up to ``wait_s``; none runs: nothing.

    The same act appended again is answered again and changes nothing. Raises UsageError when its key stands for
    another act, Unreachable when it isn't known whether the log has it, Retryable while Kafka is away.
    """
    announced = record(log, act, wait_s, asks_again=True)
    if announced.interrupted is not None:
        raise announced.interrupted
    return announced.heard


def record(log: Log, act: Asked, wait_s: float, *, asks_again: bool = False) -> Announced:
    """Append ``act`` unless the log holds it, and wait up to ``wait_s`` for the answer of every executor there is.

    With ``asks_again`` it is appended in any case, and every executor answers anew. Raises KeyTaken when its key stands
    for another act, InDoubt when it isn't known whether the log has it; Unreachable or Retryable while Kafka is away,
    and then this call has recorded nothing.
    """
    executors = Executors(log.settings)
    control, account = (log.topics.control, 0), (log.topics.account, 0)
    ends = end_offsets(log.settings, [control, account])
    question = _question(act, Spot(control, act.scope), Spot(account, ""))
    begun = _begun(log, question, ends[control])
    # Before and after: whoever joins in between may have read the control topic before the act was in it.
    members = executors.read()
    if begun is None or asks_again:
        place, start, overtaken_by = append(log, question), ends[account], None
    else:
        # What was said to it already is its answer.
        place, start = begun, ends[account] - SEARCH_EVENTS_MAX
        overtaken_by = _overtaken(log, act, begun, ends[control])
    interrupted = None
    try:
        members |= executors.read()
        reader = Reader(log, {account: start}, set(), _TYPES)
        heard = _gather(reader, act, executors, members, wait_s)
    except Retryable as error:
        # The act stands in the log, whatever becomes of the waiting.
        heard, interrupted = [_heard(member, None, set()) for member in members.values()], error
    return Announced(place, begun is not None, heard, interrupted, overtaken_by)


def report(act: Asked, heard: list[Heard]) -> dict[str, Any]:
    """Return what each executor made of an act, by name."""
    return {
        "act": str(act.act),
        "scope": act.scope,
        "key": act.key,
        "acted_by": act.operator,
        "why": act.why,
        "complete": all(each.standing is Standing.ACKNOWLEDGED for each in heard),
        "executors": [
            {
                "instance": each.member.instance,
                "host": each.member.host,
                "account": each.member.account,
                "member_id": each.member.member_id,
                "standing": each.standing.value,
                "is_active": each.answer.is_active if each.answer else None,
                "explanation": each.answer.explanation if each.answer else None,
                **(json.loads(each.answer.details or "{}") if each.answer else {}),
            }
            for each in heard
        ],
    }


def _gather(
    reader: Reader, act: Asked, executors: Executors, members: dict[str, Member], wait_s: float
) -> list[Heard]:
    answers: dict[str, OperatorAnswered] = {}
    left: set[str] = set()
    deadline = time.monotonic() + wait_s
    with closing(reader):
        while (
            members.keys() - answers.keys() - left
            and time.monotonic() < deadline
            and not reader.is_stopping
        ):
            for answer in _answers(reader, act, min(deadline, time.monotonic() + MEMBERS_EVERY_S)):
                answers[answer.member_id] = answer
                if not members.keys() - answers.keys():
                    break
            left = _gone(executors, members)
        if left - answers.keys():
            # What it said as its last word is in the log by now.
            for answer in _answers(reader, act, time.monotonic() + LAST_WORD_S):
                answers[answer.member_id] = answer
    return [_heard(member, answers.get(member.member_id), left) for member in members.values()]


def _answers(reader: Reader, act: Asked, deadline: float) -> Iterator[OperatorAnswered]:
    for _, event in reader.events(deadline):
        if isinstance(event, OperatorAnswered) and event.act_id == act.act_id:
            yield event


def _gone(executors: Executors, members: dict[str, Member]) -> set[str]:
    try:
        return set(members.keys() - executors.read().keys())
    except Retryable:
        return set()


def _heard(member: Member, answer: OperatorAnswered | None, left: set[str]) -> Heard:
    if answer is not None:
        return Heard(member, Standing.ACKNOWLEDGED, answer)
    return Heard(member, Standing.VANISHED if member.member_id in left else Standing.SILENT, None)


def _question(act: Asked, asked_at: Spot, answered_at: Spot) -> Question[None]:
    return Question(
        act_id=act.act_id,
        key=act.key,
        spot=asked_at,
        answered_at=answered_at,
        event=act.event,
        first_use=partial(_uses, act),
        contents=lambda other: f"{other.act} of {other.scope}",
        answer_in=_no_answer,
        types=_TYPES,
        wording=Wording(f"the {act.act}", "executor", "nothing was changed", "acting"),
    )


def _begun(log: Log, question: Question[None], end: int) -> EventPlace | None:
    """Return where the act stands already. Raises KeyTaken when its key stands for another one."""
    place = question.spot.place
    with closing(Reader(log, {place: end - SEARCH_EVENTS_MAX}, set(), _TYPES)) as reader:
        return look_for(log, reader, question, {place: end}).place


def _overtaken(log: Log, act: Asked, begun: EventPlace, end: int) -> OperatorActed | None:
    """Return the act after ``begun`` that ended what ``act`` was for, if one did: a halt was lifted, or came again."""
    topic, partition, offset = begun
    place = (topic, partition)
    last: OperatorActed | None = None
    with closing(Reader(log, {place: offset + 1}, set(), _TYPES)) as reader:
        for _, event in reader.events(time.monotonic() + SEARCH_TIMEOUT_S, {place: end}):
            if isinstance(event, OperatorActed) and _concerns(act, event):
                last = event if event.act is not act.act else None
    return last


def _concerns(act: Asked, later: OperatorActed) -> bool:
    if later.act not in HALTING or later.event_id == act.act_id:
        return False
    if later.scope in (act.scope, EVERYTHING):
        return True
    # Every halt was lifted: any halt since undoes a part of that.
    return (act.act, act.scope, later.act) == (OperatorAct.RESUME, EVERYTHING, OperatorAct.HALT)


def _uses(act: Asked, other: OperatorActed) -> bool:
    return other.idempotency_key == act.key and other.act in HALTING


def _no_answer(_event: Event) -> None:
    return None
