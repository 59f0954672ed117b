"""Puts a halt or a resume on the control topic and gathers what every executor answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from tradetrail.cli.act_log import (
    SEARCH_EVENTS_MAX,
    Log,
    Question,
    Reader,
    Spot,
    Wording,
    append,
    look_for,
)
from tradetrail.errors import Retryable
from tradetrail.events import Event
from tradetrail.events.generated import OperatorAct, OperatorActed, OperatorAnswered
from tradetrail.log.groups import Executors, Member
from tradetrail.log.reader import end_offsets
from tradetrail.operator_acts import Asked

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


def announce(log: Log, act: Asked, wait_s: float) -> list[Heard]:
    """Append ``act`` and return what each executor made of it, waited for up to ``wait_s``; none runs: nothing.

    The same act appended again is answered again and changes nothing. Raises UsageError when its key stands for
    another act, Unreachable when it isn't known whether the log has it, Retryable while Kafka is away.
    """
    executors = Executors(log.settings)
    control, account = (log.topics.control, 0), (log.topics.account, 0)
    ends = end_offsets(log.settings, [control, account])
    question = _question(act, Spot(control, act.scope), Spot(account, ""))
    _refuse_other_use(log, question, ends[control])
    # Before and after: whoever joins in between may have read the control topic before the act was in it.
    members = executors.read()
    append(log, question)
    members |= executors.read()
    answers: dict[str, OperatorAnswered] = {}
    left: set[str] = set()
    deadline = time.monotonic() + wait_s
    with closing(Reader(log, {account: ends[account]}, set(), _TYPES)) as reader:
        while members.keys() - answers.keys() - left and time.monotonic() < deadline:
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
    for event in reader.events(deadline):
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


def _refuse_other_use(log: Log, question: Question[None], end: int) -> None:
    """Raise UsageError when the key stands for another act on the control topic."""
    place = question.spot.place
    with closing(Reader(log, {place: end - SEARCH_EVENTS_MAX}, set(), _TYPES)) as reader:
        look_for(reader, question, {place: end})


def _uses(act: Asked, other: OperatorActed) -> bool:
    return other.idempotency_key == act.key and other.act in (OperatorAct.HALT, OperatorAct.RESUME)


def _no_answer(_event: Event) -> None:
    return None
