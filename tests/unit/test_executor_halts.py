"""Halts folded from acts: what they stop, who gave them, and what awaits an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from services.executor.operators.replies import Answers, Replies
from services.executor.state.halts import Halts
from tradetrail.events.generated import AnswerOutcome, OperatorAct, OperatorActed
from tradetrail.log.stamp import Stamp
from tradetrail.operator_acts import asked

NOW = datetime(2024, 2, 5, tzinfo=UTC)
STAMP = Stamp("cli", "test")


def act(kind: OperatorAct, scope: str, key: str, **arguments: object) -> OperatorActed:
    return asked(kind, scope, ("ann", "test", key), arguments).event(STAMP.envelope(NOW))


def halt(scope: str = "everything", key: str = "h", **arguments: object) -> OperatorActed:
    return act(OperatorAct.HALT, scope, key, **arguments)


def resume(scope: str = "everything", key: str = "r") -> OperatorActed:
    return act(OperatorAct.RESUME, scope, key)


def folded(*acts: OperatorActed) -> Halts:
    halts = Halts()
    for offset, each in enumerate(acts):
        halts.fold(each, offset)
    return halts


def test_a_halt_stops_what_it_names_and_nothing_else() -> None:
    halts = folded(halt("symbol:AAPL", "1"), halt("strategy:Insider", "2"))
    assert halts.stops("AAPL", "Congress") == "symbol:AAPL"
    assert halts.stops("MSFT", "Insider") == "strategy:Insider"
    assert halts.stops("MSFT", "Congress") is None
    assert folded(halt()).stops("MSFT", "Congress") == "everything"
    assert folded(halt("MSFT")).stops("MSFT", "Congress") == "MSFT"


def test_resuming_lifts_one_halt_or_all() -> None:
    both = (halt("symbol:AAPL", "1"), halt("everything", "2"))
    assert folded(*both, resume("symbol:AAPL")).scopes == {"everything"}
    assert folded(*both, resume()).scopes == set()


def test_the_same_act_again_changes_nothing_and_is_asked_again() -> None:
    again = halt()
    halts = folded(again, resume(), again)
    assert halts.scopes == set()
    assert [offset for offset, _ in halts.asked] == [0, 1, 2]


def test_a_halt_that_cancels_keeps_cancelling_until_it_is_lifted() -> None:
    halts = folded(halt(key="1", cancel_open=True), halt(key="2"))
    assert [each.cancels_open for each in halts.cancelling()] == [True]
    halts.fold(resume(), 2)
    assert halts.cancelling() == []


def test_who_halted_and_why_is_told() -> None:
    assert folded(halt()).told() == {"everything": "ann, 2024-02-05T00:00:00+00:00: test"}


def test_acts_before_this_process_are_not_answered_and_each_after_it_once() -> None:
    replies = Replies(through=1)
    halts = folded(halt(), resume(), halt(key="3"), act(OperatorAct.RECONCILE, "everything", "4"))
    halts.drop(replies.is_answered)
    assert [offset for offset, _ in halts.asked] == [1, 2]
    replies.answered(2)
    halts.drop(replies.is_answered)
    assert list(halts.asked) == []
    assert [offset for offset, _ in halts.to_reconcile] == [3]


def test_each_members_answer_is_one_of_its_own_and_a_repetition_is_the_same() -> None:
    answers = Answers(Stamp("executor", "test"), "paper")

    def answer(member: str) -> str:
        made = answers.answer(
            halt(), member, AnswerOutcome.ACKNOWLEDGED, "in force", NOW, about=member
        )
        return made.event_id

    assert answer("m-1") == answer("m-1") != answer("m-2")
    assert replace(halt(), event_id="x") != halt()
