"""The fold of decisions and executions: order, holds, final states, and no way back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.state.book import Book, next_actions
from services.executor.state.statuses import (
    DECISION_TERMINAL,
    DECISION_TRANSITIONS,
    TERMINAL,
    TRANSITIONS,
    UNSETTLED,
    execution_status,
    is_duplicate_id,
    refusal_reason,
)
from tests.integration.executor.harness import decision_made
from tests.unit.executor_events import ACCOUNT, NOW, at, intent_of, update_of
from tradetrail.errors import Poison
from tradetrail.events.generated import (
    DecisionStatus,
    FailureReason,
    OrderStatus,
)

S = OrderStatus


def _book(*names_and_strengths: tuple[str, str, str]) -> Book:
    book = Book()
    for offset, (name, symbol, strength) in enumerate(names_and_strengths):
        decision = decision_made(name, symbol, strength=strength)
        book.fold(decision, at(offset, decision.event_id))
    return book


def test_the_strongest_head_goes_first_and_nothing_overtakes_within_a_symbol() -> None:
    book = _book(("a", "ACME", "1"), ("b", "ACME", "9"), ("c", "SPLT", "5"))
    actions = next_actions(book, market_is_open=True)
    assert [(d.symbol, d.signal_strength) for d in actions] == [
        ("SPLT", Decimal(5)),
        ("ACME", Decimal(1)),
    ]
    assert next_actions(book, market_is_open=False) == []


def test_ties_go_by_decision_id() -> None:
    book = _book(*((f"n{i}", f"S{i}", "5") for i in range(6)))
    ids = [d.decision_id for d in next_actions(book, market_is_open=True)]
    assert ids == sorted(ids)


def test_a_symbol_is_held_until_its_post_is_known_not_until_its_fill() -> None:
    book = _book(("a", "ACME", "1"), ("b", "ACME", "9"), ("c", "SPLT", "5"))
    first = book.waiting["ACME"][0]
    intent = intent_of(first)
    book.fold(intent, at(10, intent.event_id))
    assert [d.symbol for d in next_actions(book, market_is_open=True)] == ["SPLT"]
    book.fold(update_of(intent, S.UNKNOWN), at(11, "u"))
    assert [d.symbol for d in next_actions(book, market_is_open=True)] == ["SPLT"]
    book.fold(update_of(intent, S.ACCEPTED), at(12, "v"))
    assert len(next_actions(book, market_is_open=True)) == 2


def test_a_repeated_decision_or_intent_is_recognised() -> None:
    book = _book(("a", "ACME", "1"))
    decision = decision_made("a", "ACME", strength="1")
    book.fold(decision, at(5, decision.event_id))
    assert book.pending_count() == 1
    intent = intent_of(book.waiting["ACME"][0])
    book.fold(intent, at(6, intent.event_id))
    book.fold(intent, at(7, intent.event_id))
    assert book.reserved.day_use(NOW).order_count == 1
    assert len(book.executions) == 1


def test_the_committed_offset_is_the_lowest_unfinished_decision() -> None:
    book = _book(("a", "ACME", "1"), ("b", "ACME", "1"))
    place = ("trade.default", 0)
    assert book.lowest_unfinished(place) == 0
    intent = intent_of(book.waiting["ACME"][0])
    book.fold(intent, at(10, intent.event_id))
    assert book.lowest_unfinished(place) == 0
    book.fold(update_of(intent, S.FILLED, total="10"), at(11, "u"))
    assert book.lowest_unfinished(place) == 1


@pytest.mark.parametrize("before", list(TRANSITIONS))
@pytest.mark.parametrize("after", list(TRANSITIONS))
def test_only_the_written_transitions_are_possible(before: S, after: S) -> None:
    book = _book(("a", "ACME", "1"))
    intent = intent_of(book.waiting["ACME"][0])
    book.fold(intent, at(10, intent.event_id))
    if before is not S.SUBMITTING:
        book.fold(update_of(intent, before), at(11, "u"))
    if after in TRANSITIONS[before]:
        book.fold(update_of(intent, after), at(12, "v"))
        assert book.executions[intent.execution_id].status is after
        assert (intent.execution_id in book.open) == (after not in TERMINAL)
        open_ones = list(book.open.values())
        assert book.unsettled() == [each for each in open_ones if each.status in UNSETTLED]
        assert book.followed() == [each for each in open_ones if each.status not in UNSETTLED]
    else:
        with pytest.raises(Poison):
            book.fold(update_of(intent, after), at(12, "v"))
        assert book.executions[intent.execution_id].status is before


@given(st.lists(st.sampled_from(list(TRANSITIONS)), max_size=12))
def test_whatever_comes_a_final_outcome_stays(statuses: list[S]) -> None:
    book = _book(("a", "ACME", "1"))
    intent = intent_of(book.waiting["ACME"][0])
    book.fold(intent, at(10, intent.event_id))
    final: DecisionStatus | None = None
    for offset, status in enumerate(statuses, start=11):
        try:
            book.fold(update_of(intent, status), at(offset, str(offset)))
        except Poison:
            pass
        seen = book.decisions[intent.decision_id].status
        assert final in (None, seen)
        if seen in DECISION_TERMINAL:
            final = seen


def test_the_filled_quantity_never_falls() -> None:
    book = _book(("a", "ACME", "1"))
    intent = intent_of(book.waiting["ACME"][0])
    book.fold(intent, at(10, intent.event_id))
    book.fold(update_of(intent, S.PARTIALLY_FILLED, total="5"), at(11, "u"))
    with pytest.raises(Poison, match="fall"):
        book.fold(update_of(intent, S.PARTIALLY_FILLED, total="4"), at(12, "v"))


def test_updates_of_nothing_known_are_refused() -> None:
    book = _book(("a", "ACME", "1"))
    stranger = replace(intent_of(book.waiting["ACME"][0]), execution_id="x", account=ACCOUNT)
    with pytest.raises(Poison, match="never seen"):
        book.fold(update_of(stranger, S.FILLED), at(9, "u"))


def test_every_status_is_in_its_table() -> None:
    assert set(TRANSITIONS) == set(S) - {S.UNRECOGNISED}
    assert set(DECISION_TRANSITIONS) == set(DecisionStatus) - {DecisionStatus.UNRECOGNISED}
    assert not TERMINAL & UNSETTLED


@pytest.mark.parametrize(
    ("word", "is_partly_filled", "status"),
    [
        ("pending_new", False, S.SUBMITTED),
        ("accepted", False, S.ACCEPTED),
        ("new", False, S.ACCEPTED),
        ("new", True, S.PARTIALLY_FILLED),
        ("partially_filled", True, S.PARTIALLY_FILLED),
        ("done_for_day", True, S.PARTIALLY_FILLED),
        ("filled", True, S.FILLED),
        ("canceled", True, S.CANCELLED),
        ("expired", False, S.EXPIRED),
        ("a word of tomorrow", False, S.ACCEPTED),
    ],
)
def test_the_brokers_words(word: str, is_partly_filled: bool, status: S) -> None:
    assert execution_status(word, is_partly_filled=is_partly_filled) is status


@pytest.mark.parametrize(
    ("status_code", "message", "reason"),
    [
        (403, "insufficient buying power", FailureReason.INSUFFICIENT_BUYING_POWER),
        (
            403,
            "insufficient qty available for order (requested: 2, available: 1)",
            FailureReason.INSUFFICIENT_QUANTITY,
        ),
        (403, "potential wash trade detected. use complex orders", FailureReason.WASH_TRADE),
        (422, 'asset "X" is not tradable', FailureReason.SYMBOL_NOT_TRADABLE),
        (422, "asset not found for X", FailureReason.SYMBOL_NOT_TRADABLE),
        (403, "new orders are rejected by user request", FailureReason.ACCOUNT_RESTRICTED),
        (401, "unauthorized.", FailureReason.UNAUTHORIZED),
        (429, "too many requests", FailureReason.RATE_LIMIT_EXCEEDED),
        (422, "fractional orders must be DAY orders", FailureReason.INVALID_ORDER),
        (403, "something new", FailureReason.BROKER_REJECTED),
    ],
)
def test_refusals_are_told_apart_by_their_text(
    status_code: int, message: str, reason: FailureReason
) -> None:
    assert refusal_reason(status_code, message) is reason


@pytest.mark.parametrize(
    "message", ["client_order_id must be unique", "client order id must be unique"]
)
def test_a_duplicate_id_is_recognised(message: str) -> None:
    assert is_duplicate_id(message)
    assert not is_duplicate_id("qty must be > 0")
