"""A person's order in the decider: once a key, never a short, first in the executor's queue."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.decider.answering.decision import Making
from services.decider.answering.manual import answer, declined
from services.decider.settings import DeciderSettings
from services.decider.views.manual_acts import ManualActs, ManualQuestion, ManualTrigger
from services.executor.recording.orders import order_request
from services.executor.state.book import Book, equality, next_actions
from tests.unit.decider_views import NOW, context, empty_state, place
from tradetrail.events.generated import (
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    OperatorAct,
    OperatorActed,
    Side,
)
from tradetrail.log.stamp import Stamp
from tradetrail.manual_orders import Submission, manual_order, submission

MAKING = Making(Stamp("decider", "test"), DeciderSettings(), "0", NOW)
SINCE = NOW - timedelta(days=30)


def asked(key: str = "k-1", **changes: Any) -> Submission:
    words: dict[str, Any] = {
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "10",
        "limit_price": None,
        "time_in_force": "day",
    }
    return submission(manual_order(**words | changes), "ann", "why not", key)


def act(of: Submission, at: datetime = NOW) -> OperatorActed:
    return of.act(Stamp("cli", "test").envelope(at))


def question(of: Submission, **changes: Any) -> ManualQuestion:
    return ManualQuestion(replace(ManualTrigger("AAPL", place(7), NOW, of), **changes))


def decided(of: Submission, **around: str) -> DecisionMade | DecisionDeclined:
    return answer(question(of), MAKING, context(**around))


def made(of: Submission, **around: str) -> DecisionMade:
    event = decided(of, **around)
    assert isinstance(event, DecisionMade)
    return event


def test_the_same_order_again_gets_no_second_answer() -> None:
    acts = ManualActs()
    first = acts.fold(act(asked()), place(1), "AAPL", SINCE)
    assert first == ManualTrigger("AAPL", place(1), NOW, asked())
    assert acts.fold(act(asked(), NOW + timedelta(hours=1)), place(2), "AAPL", SINCE) is None
    second = acts.fold(act(asked("k-2")), place(3), "AAPL", SINCE)
    assert second is not None
    assert second.refusal is None


def test_another_order_under_a_key_is_refused_and_told_what_the_key_stands_for() -> None:
    acts = ManualActs()
    acts.fold(act(asked()), place(1), "AAPL", SINCE)
    for offset, other in ((2, asked(quantity="11")), (3, replace(asked(), why="else"))):
        trigger = acts.fold(act(other), place(offset), "AAPL", SINCE)
        assert trigger is not None
        assert trigger.refusal is not None
        reason, text = trigger.refusal
        assert reason is DeclineReason.ALREADY_ACTED
        assert "'buy 10 AAPL at market, day' by 'ann', because 'why not'" in text
        # The key's own decision keeps its id for itself.
        assert ManualQuestion(trigger).decision_id != asked().decision_id
    # The first still stands.
    assert acts.fold(act(asked()), place(4), "AAPL", SINCE) is None


def test_a_key_is_known_as_far_back_as_the_look_back_reaches() -> None:
    acts = ManualActs()
    acts.fold(act(asked(), SINCE - timedelta(seconds=1)), place(1), "AAPL", SINCE)
    again = acts.fold(act(asked()), place(2), "AAPL", SINCE)
    assert again is not None
    # The executor acts on an id once, ever.
    assert ManualQuestion(again).decision_id == asked().decision_id
    # What a restart leaves out because it is older changes nothing.
    fresh = ManualActs()
    assert fresh.fold(act(asked()), place(2), "AAPL", SINCE) == again
    acts.prune(SINCE)
    assert [len(same_key) for same_key in acts.known.values()] == [1]
    acts.prune(NOW + timedelta(seconds=1))
    assert acts.known == {}


def test_an_unreadable_act_is_refused_and_uses_up_no_key() -> None:
    acts = ManualActs()
    broken = acts.fold(replace(act(asked()), arguments="buy ten"), place(1), "AAPL", SINCE)
    assert broken is not None
    assert broken.refusal is not None
    event = declined(ManualQuestion(broken), MAKING, broken.refusal)
    assert (event.reason, event.side) == (DeclineReason.INVALID_ORDER, None)
    assert event.rationale.trigger_event == "manual_order"
    assert event.decision_id != asked().decision_id
    fixed = acts.fold(act(asked()), place(2), "AAPL", SINCE)
    assert fixed is not None
    assert fixed.refusal is None


@pytest.mark.parametrize("year", [1, 9999])
def test_an_act_of_any_year_asks(year: int) -> None:
    state = empty_state()
    trigger = state.ask(act(asked(), datetime(year, 1, 1, tzinfo=UTC)), place(1), "AAPL")
    assert trigger is not None
    assert trigger.refusal is None
    assert not state.is_empty


@pytest.mark.parametrize("other", [each for each in OperatorAct if each != "manual_order"])
def test_other_acts_ask_nothing_of_the_decider(other: OperatorAct) -> None:
    acts = ManualActs()
    assert acts.fold(replace(act(asked()), act=other), place(1), "AAPL", SINCE) is None
    assert acts.known == {}


def test_a_decision_says_who_why_and_what_it_met() -> None:
    event = made(asked(limit_price="49.5"), price="50", position="3")
    assert (event.made_by, event.why, event.strategy_name) == ("ann", "why not", "manual")
    assert (event.cause, event.view_through, event.batch_id) == (place(7), 7, None)
    why = event.rationale
    assert (why.signal_strength, why.confidence_score) == (Decimal(10), Decimal(1))
    assert (why.source_data.records, why.data_lineage.ingestion_runs) == ((), ())
    assert why.market_context is not None
    assert why.portfolio_context is not None
    assert why.market_context.current_price == 50
    assert why.portfolio_context.existing_position == 3
    (rule,) = why.rules
    assert (rule.rule, rule.value, rule.passed) == ("value", Decimal(495), True)


@pytest.mark.parametrize(
    ("changes", "position", "reason", "numbers"),
    [
        ({"side": "sell"}, "0", DeclineReason.NO_POSITION, "nothing of AAPL is held"),
        ({"side": "sell"}, "-10", DeclineReason.NO_POSITION, "nothing of AAPL is held"),
        ({"side": "sell"}, "9.5", DeclineReason.NO_POSITION, "10 shares are to be sold and 9.5"),
        ({"quantity": "0.01"}, "0", DeclineReason.ZERO_QUANTITY, "worth 0.50 USD"),
        (
            {"quantity": "10", "limit_price": "0.09"},
            "0",
            DeclineReason.ZERO_QUANTITY,
            "worth 0.90 USD",
        ),
    ],
    ids=["none", "short", "too-little", "dust", "low-limit"],
)
def test_what_the_account_rules_out_is_declined_with_the_numbers(
    changes: dict[str, str], position: str, reason: DeclineReason, numbers: str
) -> None:
    event = decided(asked(**changes), price="50", position=position)
    assert isinstance(event, DecisionDeclined)
    assert event.reason is reason
    assert numbers in event.reason_text
    assert event.decision_id == asked().decision_id
    assert [rule.passed for rule in event.rationale.rules] == [False]


def test_a_symbol_without_a_market_is_declined() -> None:
    event = answer(question(asked()), MAKING, replace(context(), market=None))
    assert isinstance(event, DecisionDeclined)
    assert event.reason is DeclineReason.NOT_TRADABLE


@pytest.mark.parametrize("quantity", ["0.000000001", "3", "9.5"])
def test_a_part_of_a_position_can_be_sold(quantity: str) -> None:
    event = made(asked(side="sell", quantity=quantity), position="9.5")
    assert (event.side, event.quantity) == (Side.SELL, Decimal(quantity))


def test_a_view_with_a_gap_stops_no_person_and_is_told() -> None:
    gap = "the event at trade.default/0/3 can't be read"
    event = answer(question(asked(), incomplete=gap), MAKING, context())
    assert isinstance(event, DecisionMade)
    first = event.rationale.rules[0]
    assert (first.rule, first.passed) == ("complete_view", False)
    assert gap in first.explanation


def test_the_executor_takes_it_as_any_decision_and_first_of_all() -> None:
    book = Book()
    person = made(asked(limit_price="49.5", time_in_force="gtc"))
    rivals = [
        replace(
            person,
            decision_id=name,
            symbol=name,
            strategy_name="CongressionalTradingStrategy",
            rationale=replace(person.rationale, signal_strength=Decimal(strength)),
        )
        for name, strength in (("MSFT", "9.999999999"), ("NVDA", "2"))
    ]
    for offset, each in enumerate((*rivals, person)):
        book.fold(each, place(offset))
    ready = next_actions(book, market_is_open=True)
    assert [each.symbol for each in ready] == ["AAPL", "MSFT", "NVDA"]
    body = json.loads(order_request(ready[0], 1, queues=False))
    body.pop("client_order_id")
    assert body == {
        "symbol": "AAPL",
        "qty": "10",
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "limit_price": "49.5",
    }
    # An equal order under another key counts as a duplicate; a strategy's equal one doesn't.
    twin = made(asked("k-2"))
    book.fold(twin, place(9))
    book.fold(replace(twin, decision_id="strategy", strategy_name="other"), place(10))
    known = book.decisions
    person_id, twin_id = person.decision_id, twin.decision_id
    assert equality(known[person_id]) == equality(known[twin_id])
    assert equality(known[twin_id]) != equality(known["strategy"])
