"""Retries, replacements and cancels: what several executions make of one decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.executor.broker.fills import (
    chain_between,
    fill_by_totals,
    says_something_new,
    status_by,
)
from services.executor.broker.outcomes import BrokerOrder, Fill
from services.executor.recording.orders import Progress
from services.executor.state.book import Book, next_actions
from services.executor.state.rehearsal import rehearse
from services.executor.state.retries import Retries
from services.executor.state.statuses import RETRIED, TERMINAL, decision_status
from tests.unit.executor_events import ACCOUNT, EVENTS, NOW, at, intent_of
from tests.unit.executor_log import RETRIES, Writer
from tradetrail.errors import Fatal, Poison
from tradetrail.events.generated import (
    AnswerOutcome,
    DecisionStatus,
    FailureReason,
    OperatorAct,
    OperatorActed,
    OperatorAnswered,
    OrderStatus,
    OrderUpdated,
    UpdateSource,
)

S = OrderStatus
D = DecisionStatus
F = FailureReason


def _sent(symbol: str = "ACME", retries: Retries = RETRIES) -> Writer:
    writer = Writer(book=Book(retries=retries))
    writer.decide(symbol)
    writer.send()
    return writer


def _become(
    writer: Writer, status: S, fill: str = "0", failure: F | None = None, attempt: int = -1
) -> OrderUpdated:
    (decision,) = writer.book.decisions.values()
    event = writer.updated(decision.attempts[attempt], status, Decimal(fill), failure)
    writer.write(event)
    return event


def _status(writer: Writer) -> D:
    (decision,) = writer.book.decisions.values()
    return decision.status


@pytest.mark.parametrize("failure", [each for each in F if each is not F.UNRECOGNISED])
def test_only_three_failures_are_tried_again(failure: F) -> None:
    writer = _sent()
    event = _become(writer, S.REJECTED, failure=failure)
    is_retried = failure in RETRIED
    assert event.decision_status is (
        D.EXECUTING if is_retried else D.CANCELLED if failure is F.OPERATOR_CANCELLED else D.FAILED
    )
    assert bool(writer.book.retrying) == is_retried


def test_a_retry_waits_its_seconds_holds_its_symbol_and_survives_a_restart() -> None:
    writer = _sent()
    writer.decide("ACME")
    first, second = writer.book.decisions.values()
    event = writer.updated(first.attempts[0], S.REJECTED, Decimal(0), F.RATE_LIMIT_EXCEEDED)
    writer.write(event)
    again = Book(retries=RETRIES)
    for each, place in writer.entries:
        again.fold(each, place)
    due = NOW + timedelta(seconds=RETRIES.after_s)
    for book in (writer.book, again):
        early = next_actions(book, due - timedelta(seconds=1), market_is_open=True)
        assert early == []
        assert [d.decision_id for d in next_actions(book, due, market_is_open=True)] == [
            first.decision_id
        ]
    writer.pass_time(1)
    writer.send()
    assert [each.attempt_number for each in first.attempts] == [1, 2]
    old, new = first.attempts
    assert new.previous_execution_id == old.execution_id
    assert new.client_order_id != old.client_order_id
    assert second.status is D.PENDING


@pytest.mark.parametrize("count", [0, 1, 3])
def test_there_are_as_many_retries_as_allowed(count: int) -> None:
    writer = _sent(retries=Retries(count, 60.0))
    for _ in range(count):
        assert _become(writer, S.REJECTED, failure=F.NOT_SENT).decision_status is D.EXECUTING
        writer.pass_time(1)
        writer.send()
    assert _become(writer, S.REJECTED, failure=F.NOT_SENT).decision_status is D.FAILED


def test_nothing_is_tried_again_when_a_part_was_filled() -> None:
    writer = _sent()
    _become(writer, S.PARTIALLY_FILLED, fill="4")
    event = _become(writer, S.REJECTED, failure=F.RATE_LIMIT_EXCEEDED)
    assert (event.decision_status, event.filled_qty_total) == (D.FAILED, Decimal(4))


def _replacing() -> Writer:
    writer = _sent()
    _become(writer, S.ACCEPTED)
    writer.replace_order(0)
    return writer


def test_a_replaced_order_leaves_its_decision_to_the_new_one() -> None:
    writer = _replacing()
    _become(writer, S.ACCEPTED)
    assert _become(writer, S.REPLACED, attempt=0).decision_status is D.EXECUTING
    assert _become(writer, S.FILLED, fill="10").decision_status is D.EXECUTED


def test_the_old_order_may_fill_first() -> None:
    writer = _replacing()
    assert _become(writer, S.FILLED, fill="10", attempt=0).decision_status is D.EXECUTING
    event = _become(writer, S.REJECTED, failure=F.RATE_LIMIT_EXCEEDED)
    assert event.decision_status is D.EXECUTED
    assert not writer.book.retrying


def test_the_new_order_may_end_before_the_old_one_is_called_replaced() -> None:
    writer = _replacing()
    assert _become(writer, S.FILLED, fill="10").decision_status is D.EXECUTING
    assert _become(writer, S.REPLACED, attempt=0).decision_status is D.EXECUTED


def test_an_order_that_the_broker_replaced_alone_fails() -> None:
    writer = _sent()
    _become(writer, S.ACCEPTED)
    assert _become(writer, S.REPLACED).decision_status is D.FAILED


def test_only_what_is_open_can_be_replaced_and_attempts_count_on() -> None:
    writer = _replacing()
    (decision,) = writer.book.decisions.values()
    intent = intent_of(decision)
    for wrong in (
        {"method": "POST"},
        {"method": "PATCH", "previous_execution_id": "x"},
        {"method": "PATCH", "attempt_number": 2},
    ):
        with pytest.raises(Poison):
            writer.book.fold(replace(intent, **wrong), at(99))
    assert len(decision.attempts) == 2


def _act(act: OperatorAct, decision_id: str, execution_id: str | None) -> OperatorActed:
    return OperatorActed(
        event_id="act",
        **EVENTS.stamp.envelope(NOW),
        act=act,
        operator="ann",
        why="because",
        scope=decision_id,
        arguments="{}",
        decision_id=decision_id,
        execution_id=execution_id,
    )


def _answer(decision_id: str, execution_id: str | None, status: D | None) -> OperatorAnswered:
    return OperatorAnswered(
        event_id="answer",
        **EVENTS.stamp.envelope(NOW),
        act_id="act",
        act=OperatorAct.CANCEL_ORDER,
        account=ACCOUNT,
        member_id="m",
        is_active=True,
        outcome=AnswerOutcome.DONE,
        explanation="done",
        decision_id=decision_id,
        execution_id=execution_id,
        decision_status=status,
    )


@pytest.mark.parametrize("is_answered", [False, True])
def test_an_order_that_a_person_cancelled_cancels_its_decision(is_answered: bool) -> None:
    writer = _sent()
    _become(writer, S.PARTIALLY_FILLED, fill="4")
    (decision,) = writer.book.decisions.values()
    execution_id = decision.attempts[0].execution_id
    writer.book.fold(_act(OperatorAct.CANCEL_ORDER, decision.decision_id, execution_id), at(90))
    if is_answered:
        writer.book.fold(_answer(decision.decision_id, execution_id, None), at(91))
        assert not writer.book.acts
    event = _become(writer, S.CANCELLED)
    assert event.failure_reason is F.OPERATOR_CANCELLED
    assert (event.decision_status, event.filled_qty_total) == (D.CANCELLED, Decimal(4))


def test_a_waiting_decision_is_cancelled_by_the_answer_and_one_with_an_open_order_is_not() -> None:
    writer = Writer()
    writer.decide("ACME")
    (decision,) = writer.book.decisions.values()
    writer.book.fold(_act(OperatorAct.CANCEL_ORDER, decision.decision_id, None), at(90))
    assert writer.book.lowest_unfinished(("trade.default", 0)) == 0
    writer.book.fold(_answer(decision.decision_id, None, D.CANCELLED), at(91))
    assert decision.status is D.CANCELLED
    assert writer.book.lowest_unfinished(("trade.default", 0)) is None
    assert writer.book.pending_count() == 0
    sent = _sent()
    (decision,) = sent.book.decisions.values()
    with pytest.raises(Poison, match="open order"):
        sent.book.fold(_answer(decision.decision_id, None, D.CANCELLED), at(91))
    assert decision.status is D.EXECUTING


def test_an_unanswered_act_holds_the_committed_offset() -> None:
    book = Book()
    book.fold(_act(OperatorAct.CANCEL_ORDER, "gone", None), at(7))
    assert book.lowest_unfinished(("trade.default", 0)) == 7
    book.fold(_answer("gone", None, None), at(8))
    assert book.lowest_unfinished(("trade.default", 0)) is None


def test_an_illegal_step_of_our_own_is_never_committed() -> None:
    writer = _sent()
    (decision,) = writer.book.decisions.values()
    filled = writer.updated(decision.attempts[0], S.FILLED, Decimal(10), None)
    rehearse(writer.book, [filled])
    assert decision.attempts[0].status is S.SUBMITTING
    with pytest.raises(Fatal, match="was about to record"):
        rehearse(writer.book, [filled, filled])
    assert decision.attempts[0].status is S.SUBMITTING


@given(st.lists(st.tuples(st.sampled_from(list(S)[:-1]), st.sampled_from([None, *F])), max_size=4))
def test_a_decision_is_over_exactly_when_all_its_executions_are(
    ends: list[tuple[S, F | None]],
) -> None:
    made = decision_status(ends)
    is_open = any(status not in TERMINAL for status, _ in ends)
    assert (made is D.PENDING) == (not ends)
    assert (made is D.EXECUTING) == is_open
    if ends and not is_open:
        assert (made is D.EXECUTED) == any(status is S.FILLED for status, _ in ends)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.sampled_from(["filled", "canceled", "expired"]),
    st.lists(st.tuples(st.integers(0, 6), st.sets(st.integers(0, 4))), max_size=14),
)
def test_snapshots_and_fills_in_any_order_add_up(
    parts: list[int], end: str, looks: list[tuple[int, set[int]]]
) -> None:
    """The broker fills in parts; looks come late, twice or out of order, each knowing some of the single fills."""
    writer = _sent()
    (decision,) = writer.book.decisions.values()
    execution = decision.attempts[0]
    totals = [sum(parts[: n + 1]) for n in range(len(parts))]
    fills = [
        Fill("b", Decimal(total), Decimal(part), Decimal(10 + part), NOW)
        for total, part in zip(totals, parts, strict=True)
    ]
    seen = Decimal(0)
    told: list[Decimal] = []
    for moment, known in [*looks, (len(parts) + 1, set())]:
        done = fills[: min(moment, len(fills))]
        qty = sum((f.qty for f in done), Decimal(0))
        value = sum((f.qty * (f.price or 0) for f in done), Decimal(0))
        word = end if moment > len(parts) else "partially_filled" if done else "new"
        order = BrokerOrder("b", "c", word, qty, value / qty if qty else None, NOW, NOW, None, "{}")
        if execution.status in TERMINAL or not says_something_new(execution, order):
            continue
        heard = [fills[n] for n in known if n < len(fills)]
        chain = chain_between(execution.filled_qty_total, qty, heard * 2)
        steps = chain if chain is not None else fill_by_totals(execution, order)
        status = status_by(execution, order)
        made = writer.book.status_after(execution, status, None)
        progress = Progress(status, UpdateSource.POLL, order=order, decision=made)
        events = EVENTS.updates(execution, progress, steps, NOW, None)
        rehearse(writer.book, events)
        for event in events:
            writer.write(event)
            told.append(event.fill_qty or Decimal(0))
            assert event.filled_qty_total >= seen
            seen = event.filled_qty_total
        assert sum(told) == execution.filled_qty_total == seen
    assert execution.status in TERMINAL
    assert sum(told) == sum(parts)
    again = Book(retries=RETRIES)
    for entry, place in writer.entries:
        again.fold(entry, place)
    assert again == writer.book
