"""Pre-trade controls: each at its limit, just under it and just over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.executor.book import Book, DayUse, Decision, equality
from services.executor.controls import (
    Account,
    Question,
    check_all,
    first_failed,
    open_market_s,
    recheck,
)
from services.executor.halts import Halts
from services.executor.settings import ExecutorSettings
from tests.integration.executor.harness import decision_made
from tests.unit.executor_events import NOW, at
from tradetrail.errors import UsageError
from tradetrail.events.generated import Control, OperatorAct, OperatorActed, RiskCheck, Side

C = Control
RICH = Account(Decimal(1_000_000), Decimal(0), None)


def _decision(**changes: Any) -> Decision:
    book = Book()
    made = decision_made("d", **changes)
    book.fold(made, at(0, made.event_id))
    return book.decisions[made.decision_id]


def _question(decision: Decision | None = None, **changes: Any) -> Question:
    values: dict[str, Any] = {
        "decision": decision or _decision(),
        "account": RICH,
        "book": Book(),
        "halts": Halts(),
        "limits": ExecutorSettings(),
        "now": NOW,
    }
    return Question(**values | changes)


def _of(question: Question, control: Control) -> RiskCheck:
    return next(check for check in check_all(question) if check.control is control)


def test_every_control_is_recorded_and_all_pass_for_a_plain_order() -> None:
    checks = check_all(_question())
    assert first_failed(checks) is None
    assert {check.control for check in checks} == set(C) - {
        C.UNRECOGNISED,
        C.PRICE_COLLAR,
        C.ORDER_RATE,
    }


@pytest.mark.parametrize(
    ("control", "limits", "passes"),
    [
        # The order: 10 shares at 101 USD.
        (C.ORDER_NOTIONAL, {"order_notional_usd_max": "1010"}, True),
        (C.ORDER_NOTIONAL, {"order_notional_usd_max": "1010.01"}, True),
        (C.ORDER_NOTIONAL, {"order_notional_usd_max": "1009.99"}, False),
        (C.ORDER_SIZE, {"order_size_shares_max": "10"}, True),
        (C.ORDER_SIZE, {"order_size_shares_max": "10.000000001"}, True),
        (C.ORDER_SIZE, {"order_size_shares_max": "9.999999999"}, False),
        (C.POSITION_LIMIT, {"position_usd_max": "1010"}, True),
        (C.POSITION_LIMIT, {"position_usd_max": "1009.99"}, False),
        (C.RESTRICTED_LIST, {"restricted_symbols": ("MSFT",)}, True),
        (C.RESTRICTED_LIST, {"restricted_symbols": ("ACME",)}, False),
        # From 11:00 to 13:31 UTC the market was open for one minute.
        (C.STALE_DECISION, {"stale_after_open_s": 60}, True),
        (C.STALE_DECISION, {"stale_after_open_s": 61}, True),
        (C.STALE_DECISION, {"stale_after_open_s": 59}, False),
    ],
)
def test_limits_of_the_order_itself(control: Control, limits: dict[str, Any], passes: bool) -> None:
    assert _of(_question(limits=ExecutorSettings(**limits)), control).passed is passes


@pytest.mark.parametrize(("used", "limit", "passes"), [(4, 5, True), (5, 5, False), (3, 5, True)])
def test_daily_count(used: int, limit: int, passes: bool) -> None:
    book = Book(days={NOW.date(): DayUse(used, Decimal(0))})
    question = _question(book=book, limits=ExecutorSettings(daily_order_count_max=limit))
    assert _of(question, C.DAILY_ORDER_COUNT).passed is passes


@pytest.mark.parametrize(("used", "passes"), [("990", True), ("989.99", True), ("990.01", False)])
def test_daily_notional(used: str, passes: bool) -> None:
    book = Book(days={NOW.date(): DayUse(1, Decimal(used))})
    question = _question(book=book, limits=ExecutorSettings(daily_notional_usd_max=Decimal(2000)))
    assert _of(question, C.DAILY_NOTIONAL).passed is passes


@pytest.mark.parametrize(
    ("buying_power", "passes"), [("1010", True), ("1010.01", True), ("1009.99", False)]
)
def test_buying_power(buying_power: str, passes: bool) -> None:
    question = _question(account=Account(Decimal(buying_power), Decimal(0), None))
    assert _of(question, C.BUYING_POWER).passed is passes


@pytest.mark.parametrize(
    ("held", "passes"), [("10", True), ("11", True), ("9", False), ("-5", False)]
)
def test_a_sell_needs_its_shares_and_no_buying_power(held: str, passes: bool) -> None:
    account = Account(Decimal(0), Decimal(held), Decimal(100))
    question = _question(_decision(side=Side.SELL), account=account)
    assert _of(question, C.POSITION_LIMIT).passed is passes
    assert _of(question, C.BUYING_POWER).passed


def test_an_order_of_unknown_value_is_blocked() -> None:
    decision = replace(_decision(), price=None)
    failed = first_failed(check_all(_question(decision)))
    assert failed is not None
    assert failed.control is C.ORDER_NOTIONAL


@pytest.mark.parametrize(("apart_s", "passes"), [(59, False), (60, True), (61, True)])
def test_duplicate_window(apart_s: int, passes: bool) -> None:
    decision = _decision()
    last = (NOW - timedelta(seconds=apart_s), "another")
    question = _question(decision, book=Book(last_equal={equality(decision): last}))
    assert _of(question, C.DUPLICATE_WINDOW).passed is passes


@pytest.mark.parametrize(
    ("now", "passes"),
    [
        ("2020-08-25T13:29:59+00:00", False),
        ("2020-08-25T13:30:00+00:00", True),
        ("2020-08-25T19:59:59+00:00", True),
        ("2020-08-25T20:00:00+00:00", False),
    ],
)
def test_market_hours(now: str, passes: bool) -> None:
    question = _question(now=datetime.fromisoformat(now).astimezone(UTC))
    assert _of(question, C.MARKET_HOURS).passed is passes
    queueing = replace(question, limits=ExecutorSettings(outside_hours="queue"))
    assert _of(queueing, C.MARKET_HOURS).passed


@pytest.mark.parametrize(
    ("scope", "stops"),
    [
        ("everything", True),
        ("symbol:ACME", True),
        ("symbol:MSFT", False),
        ("strategy:CongressionalTradingStrategy", True),
        ("ACME", True),
    ],
)
def test_halts_by_scope_also_stop_what_was_not_sent_yet(scope: str, stops: bool) -> None:
    halts = Halts()
    halts.fold(_act(OperatorAct.HALT, scope))
    decision = _decision()
    assert _of(_question(decision, halts=halts), C.HALT).passed is not stops
    assert (recheck(decision, halts, ExecutorSettings(), NOW) is not None) is stops
    halts.fold(_act(OperatorAct.RESUME, "everything"))
    assert _of(_question(decision, halts=halts), C.HALT).passed


@pytest.mark.parametrize(
    ("start", "end", "expected_s"),
    [
        ("2020-08-28T19:59:00+00:00", "2020-08-31T13:31:00+00:00", 120),
        ("2020-08-28T21:00:00+00:00", "2020-08-30T21:00:00+00:00", 0),
        ("2020-08-25T14:00:00+00:00", "2020-08-25T13:59:00+00:00", 0),
        # Half day after Thanksgiving: closes at 13:00 in New York.
        ("2020-11-27T14:00:00+00:00", "2020-11-27T23:00:00+00:00", 12_600),
    ],
)
def test_age_counts_open_market_only(start: str, end: str, expected_s: int) -> None:
    assert open_market_s(datetime.fromisoformat(start), datetime.fromisoformat(end)) == expected_s


def test_live_trading_needs_both_settings() -> None:
    assert ExecutorSettings().is_paper("main")
    assert not ExecutorSettings(live=True, live_confirmed="main").is_paper("main")
    with pytest.raises(UsageError, match="LIVE_CONFIRMED"):
        ExecutorSettings(live=True, live_confirmed="other").is_paper("main")
    with pytest.raises(UsageError, match="money is real"):
        ExecutorSettings().is_paper("main", "https://api.alpaca.markets")
    assert ExecutorSettings().is_paper("main", "https://paper-api.alpaca.markets")


def _act(act: OperatorAct, scope: str) -> OperatorActed:
    return OperatorActed(
        event_id="o",
        occurred_at=NOW,
        service="cli",
        service_version="0",
        instance="test",
        act=act,
        operator="ann",
        why="test",
        scope=scope,
        arguments="{}",
    )
