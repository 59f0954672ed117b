"""The life of decisions over random logs: what a restart, a bounded start and a forgetful book know is the same."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.executor.look_back import LookBack, demand_whole
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Book
from services.executor.state.statuses import TERMINAL
from tests.unit.executor_events import intent_of, update_of
from tests.unit.executor_log import PLACE, RETRIES, STEPS, Entry, Writer, written
from tradetrail.errors import Fatal, Poison
from tradetrail.events.generated import DecisionStatus, OrderStatus, OrderUpdated

LOOK_BACK = LookBack(ExecutorSettings(reconcile_look_back_h=1))


def _folded(entries: list[Entry], book: Book | None = None) -> Book:
    book = book or Book(retries=RETRIES)
    for event, at in entries:
        book.fold(event, at)
    return book


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 60))
def test_a_log_folded_again_in_one_part_or_in_two_gives_the_same_book(steps: Any, cut: int) -> None:
    writer = written(steps)
    assert _folded(writer.entries) == writer.book
    assert _folded(writer.entries[cut:], _folded(writer.entries[:cut])) == writer.book


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_fills_add_up_and_a_decision_is_over_when_nothing_of_it_is_open(steps: Any) -> None:
    writer = written(steps)
    fills: dict[str, Decimal] = {}
    for event, _ in writer.entries:
        if isinstance(event, OrderUpdated):
            before = fills.get(event.execution_id, Decimal(0))
            fills[event.execution_id] = before + (event.fill_qty or 0)
            assert fills[event.execution_id] == event.filled_qty_total >= before
    for decision in writer.book.decisions.values():
        statuses = {each.status for each in decision.attempts}
        is_due = decision.decision_id in writer.book.retrying
        is_over = statuses <= TERMINAL and not is_due
        if decision.status in (DecisionStatus.PENDING, DecisionStatus.EXECUTING):
            assert not is_over or not statuses
        elif statuses:
            assert is_over
            assert (decision.status is DecisionStatus.EXECUTED) == (OrderStatus.FILLED in statuses)
        for each in decision.attempts:
            assert each.filled_qty_total == fills.get(each.execution_id, 0)


@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_a_bounded_start_knows_all_that_matters(steps: Any) -> None:
    writer = written(steps)
    border = LOOK_BACK.border(writer.now)
    recent = [at.offset for event, at in writer.entries if event.occurred_at >= border]
    start = min([writer.committed, *recent])
    bounded = Book(retries=RETRIES)
    bounded.begin_at({PLACE: start}, border)
    _folded(writer.entries[start:], bounded)
    demand_whole(bounded, "group")
    whole = _folded(writer.entries)
    for each in (bounded, whole):
        each.forget(border)
    assert bounded.open == whole.open
    assert list(bounded.open) == list(whole.open)
    assert bounded.waiting == whole.waiting
    assert bounded.retrying == whole.retrying
    assert _reserved(bounded, writer.now) == _reserved(whole, writer.now)
    assert bounded.last_equal == whole.last_equal
    assert bounded.lowest_unfinished(PLACE) == whole.lowest_unfinished(PLACE)
    unfinished = [d for d in whole.decisions.values() if not _is_over(d.status)]
    assert [d for d in bounded.decisions.values() if not _is_over(d.status)] == unfinished


def _reserved(book: Book, now: datetime) -> object:
    held = [(each.execution_id, each.remaining_usd, each.kept_usd) for each in book.reserved.open()]
    return book.reserved.day_use(now), book.reserved.begun_within(now, 3600), held


def _is_over(status: DecisionStatus) -> bool:
    return status not in (DecisionStatus.PENDING, DecisionStatus.EXECUTING)


@settings(max_examples=60, deadline=None)
@given(
    STEPS,
    st.integers(0, 5),
    st.sampled_from(list(OrderStatus)),
    st.sampled_from(list(DecisionStatus)),
    st.integers(-3, 12),
    st.integers(0, 3),
)
def test_an_illegal_event_changes_nothing(
    steps: Any, which: int, status: OrderStatus, makes: DecisionStatus, total: int, fill: int
) -> None:
    writer = written(steps)
    executions = list(writer.book.executions.values())
    if not executions:
        return
    execution = executions[which % len(executions)]
    intent = intent_of(writer.book.decisions[execution.decision_id])
    event = update_of(
        replace(intent, execution_id=execution.execution_id),
        *(status, str(total)),
        fill=str(fill),
        makes=makes,
    )
    before = deepcopy(writer.book)
    try:
        writer.book.fold(event, execution.cause)
    except Poison:
        assert writer.book == before
    else:
        assert writer.book.executions[execution.execution_id].filled_qty_total == total


def test_what_is_over_is_forgotten_at_the_end_of_its_day_and_what_is_open_is_not() -> None:
    writer = Writer()
    for symbol in ("ACME", "SPLT"):
        writer.decide(symbol)
    writer.send()
    writer.update(0, 3, 0)
    open_before = dict(writer.book.open)
    for symbol in ("ACME", "SPLT"):
        writer.decide(symbol)
        writer.block()
    look_back = LookBack(ExecutorSettings(reconcile_look_back_h=1))
    look_back.forget(writer.book, writer.now)
    count = len(writer.book.decisions)
    assert count == 4
    writer.pass_time(3 * 1440)
    look_back.forget(writer.book, writer.now)
    assert writer.book.open == open_before
    assert all(not _is_over(d.status) for d in writer.book.decisions.values())
    assert len(writer.book.decisions) < count
    assert writer.book.last_equal == {}
    assert writer.book.known_since == look_back.border(writer.now)


def test_an_open_order_whose_decision_was_never_read_stops_the_start() -> None:
    writer = Writer()
    writer.decide("ACME")
    writer.send()
    moved = Book(retries=RETRIES)
    moved.begin_at({PLACE: 1}, writer.now - timedelta(days=1))
    _folded(writer.entries[1:], moved)
    with pytest.raises(Fatal, match="committed offsets"):
        demand_whole(moved, "group")


def test_what_names_a_decision_of_before_the_start_is_passed_over_and_nothing_else() -> None:
    writer = Writer()
    writer.decide("ACME")
    writer.send()
    writer.update(0, 3, 0)
    late = Book(retries=RETRIES)
    late.begin_at({PLACE: 2}, writer.now)
    _folded(writer.entries[2:], late)
    assert (late.passed_over, late.executions) == (1, {})
    with pytest.raises(Poison, match="never seen"):
        _folded(writer.entries[2:])
