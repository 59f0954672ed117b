"""Pre-trade controls: each at its limit, just under it and just over it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.executor.controls import (
    Account,
    Facts,
    LastPrice,
    Question,
    check_all,
    check_batch,
    first_failed,
    recheck,
)
from services.executor.controls.rules import RULES
from services.executor.controls.timing import open_market_s
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Book, Decision, equality
from services.executor.state.entries import DayUse
from services.executor.state.halts import Halts
from tests.integration.executor.harness import decision_made
from tests.unit.executor_events import NOW, at, intent_of, update_of
from tradetrail.errors import UsageError
from tradetrail.events.generated import (
    Control,
    OperatorAct,
    OperatorActed,
    OrderStatus,
    RiskCheck,
    Side,
)

C, D = Control, Decimal
# At 13:31 UTC the market has been open for a minute.
OPENED_AT = NOW - timedelta(minutes=1)


def _decision(**changes: Any) -> Decision:
    """Return a decision to buy 10 ACME, made when it cost 101 dollars."""
    book = Book()
    made = decision_made("d", **changes)
    book.fold(made, at(0, made.event_id))
    return book.decisions[made.decision_id]


@dataclass
class Scene:
    """A moment in which a decision is checked: by default all is well, and ACME costs 101 dollars."""

    limits: dict[str, Any] = field(default_factory=dict)
    decision: Decision = field(default_factory=_decision)
    buying_power: str = "1000000"
    held: str = "0"
    last: str | None = "101"
    last_at: datetime = OPENED_AT
    now: datetime = NOW
    halted: str | None = None
    book: Book = field(default_factory=Book)

    def facts(self) -> Facts:
        """Return what the decision is checked against."""
        halts = Halts()
        if self.halted:
            halts.fold(_act(OperatorAct.HALT, self.halted))
        symbol = self.decision.symbol
        prices = {} if self.last is None else {symbol: LastPrice(D(self.last), self.last_at)}
        positions = {symbol: D(self.held)}
        account = Account(D(self.buying_power), positions, self.book.reserved.look())
        limits = ExecutorSettings(**self.limits)
        return Facts(account, prices, self.book, halts, limits, self.now)

    def check(self, control: Control) -> RiskCheck:
        """Return the result of one control."""
        checks = check_all(Question(self.decision, self.facts()))
        return next(check for check in checks if check.control is control)


def _used(count: int, notional: str) -> Book:
    book = Book()
    book.reserved.days[NOW.date()] = DayUse(count, D(notional))
    return book


def _begun(*seconds_ago: float) -> Book:
    """Return a book in which orders of other symbols were begun so long ago, all filled since."""
    book = Book()
    for index, ago in enumerate(seconds_ago):
        made = decision_made(f"begun {index}", "SPLT")
        book.fold(made, at(10 * index, made.event_id))
        intent = replace(
            intent_of(book.decisions[made.decision_id]), occurred_at=NOW - timedelta(seconds=ago)
        )
        book.fold(intent, at(10 * index + 1, intent.event_id))
        book.fold(update_of(intent, OrderStatus.FILLED, "10"), at(10 * index + 2))
    return book


def _equal(apart_s: float) -> Book:
    last = (NOW - timedelta(seconds=apart_s), "another")
    return Book(last_equal={equality(_decision()): last})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _limit(price: str, side: Side = Side.BUY) -> Decision:
    return _decision(limit_price=price, side=side)


SELL = Side.SELL
LONG_AGO = _moment("2020-08-21T20:00:00+00:00")
# What, the scene, and whether the control lets it pass: at its limit, just under it, just over it.
CASES: dict[Control, list[tuple[str, Scene, bool]]] = {
    C.HALT: [
        ("none", Scene(), True),
        ("everything", Scene(halted="everything"), False),
        ("its symbol", Scene(halted="symbol:ACME"), False),
        ("a bare symbol", Scene(halted="ACME"), False),
        ("its strategy", Scene(halted="strategy:CongressionalTradingStrategy"), False),
        ("another symbol", Scene(halted="symbol:ACMEX"), True),
        ("another strategy", Scene(halted="strategy:Congressional"), True),
    ],
    C.RESTRICTED_LIST: [
        ("listed", Scene({"restricted_symbols": ("ACME",)}), False),
        ("another", Scene({"restricted_symbols": ("ACMEX", "ACM")}), True),
    ],
    C.MARKET_HOURS: [
        ("before the open", Scene(now=_moment("2020-08-25T13:29:59+00:00")), False),
        ("at the open", Scene(now=_moment("2020-08-25T13:30:00+00:00")), True),
        ("before the close", Scene(now=_moment("2020-08-25T19:59:59+00:00")), True),
        ("at the close", Scene(now=_moment("2020-08-25T20:00:00+00:00")), False),
        ("queueing", Scene({"outside_hours": "queue"}, now=LONG_AGO), True),
    ],
    # From 11:00 to 13:31 UTC the market was open for one minute.
    C.STALE_DECISION: [
        ("under", Scene({"stale_after_open_s": 61}), True),
        ("at", Scene({"stale_after_open_s": 60}), True),
        ("over", Scene({"stale_after_open_s": 59}), False),
    ],
    C.DUPLICATE_WINDOW: [
        ("further apart", Scene(book=_equal(60.000001)), True),
        ("as the window", Scene(book=_equal(60)), True),
        ("nearer", Scene(book=_equal(59.999999)), False),
        ("no window", Scene({"duplicate_window_s": 0}, book=_equal(0)), True),
    ],
    # The order: 10 shares at 101 USD.
    C.ORDER_SIZE: [
        ("under", Scene({"order_size_shares_max": "10.000000001"}), True),
        ("at", Scene({"order_size_shares_max": "10"}), True),
        ("over", Scene({"order_size_shares_max": "9.999999999"}), False),
    ],
    C.PRICE_COLLAR: [
        ("buy at the collar", Scene(last="100", decision=_limit("105")), True),
        ("buy under it", Scene(last="100", decision=_limit("104.99")), True),
        ("buy over it", Scene(last="100", decision=_limit("105.000001")), False),
        ("buy far below", Scene(last="100", decision=_limit("1")), True),
        ("sell at the collar", Scene(last="100", decision=_limit("95", SELL)), True),
        ("sell above it", Scene(last="100", decision=_limit("95.01", SELL)), True),
        ("sell below it", Scene(last="100", decision=_limit("94.999999", SELL)), False),
        ("sell far above", Scene(last="100", decision=_limit("900", SELL)), True),
        ("no collar", Scene({"price_collar_limit_percent": 0}, decision=_limit("101")), True),
        # Decided at 101 dollars; ten percent more are 111.10.
        ("risen to the collar", Scene(last="111.1"), True),
        ("risen less", Scene(last="111.09"), True),
        ("risen more", Scene(last="111.100001"), False),
        ("fallen for a buy", Scene(last="1"), True),
        ("fallen to it", Scene(last="90.9", decision=_decision(side=SELL)), True),
        ("fallen less", Scene(last="90.91", decision=_decision(side=SELL)), True),
        ("fallen more", Scene(last="90.899999", decision=_decision(side=SELL)), False),
        ("risen for a sell", Scene(last="900", decision=_decision(side=SELL)), True),
        ("old enough", Scene({"price_age_open_s_max": 60}), True),
        ("younger", Scene({"price_age_open_s_max": 61}), True),
        ("too old", Scene({"price_age_open_s_max": 59}), False),
        ("of Friday's close", Scene({"price_age_open_s_max": 23_460}, last_at=LONG_AGO), True),
        ("a second too old", Scene({"price_age_open_s_max": 23_459}, last_at=LONG_AGO), False),
        ("no last price", Scene(last=None), False),
        ("no limit price", Scene(decision=replace(_limit("1"), limit_price=None)), False),
        ("decided at no price", Scene(decision=replace(_decision(), price=None)), False),
    ],
    C.ORDER_NOTIONAL: [
        ("under", Scene({"order_notional_usd_max": "1010.01"}), True),
        ("at", Scene({"order_notional_usd_max": "1010"}), True),
        ("over", Scene({"order_notional_usd_max": "1009.99"}), False),
        (
            "a limit's own price",
            Scene({"order_notional_usd_max": "999"}, decision=_limit("100")),
            False,
        ),
        (
            "a sell trades above its limit",
            Scene({"order_notional_usd_max": "1009.99"}, decision=_limit("100", SELL)),
            False,
        ),
        ("no price", Scene(last=None), False),
    ],
    C.ORDER_RATE: [
        ("under", Scene({"order_rate_max": 4}, book=_begun(0, 30)), True),
        ("at", Scene({"order_rate_max": 3}, book=_begun(0, 30)), True),
        ("over", Scene({"order_rate_max": 2}, book=_begun(0, 30)), False),
        ("one left the window", Scene({"order_rate_max": 2}, book=_begun(0, 60)), True),
        ("one is just within", Scene({"order_rate_max": 2}, book=_begun(0, 59.999999)), False),
        (
            "another window",
            Scene({"order_rate_max": 2, "order_rate_window_s": 30}, book=_begun(0, 30)),
            True,
        ),
    ],
    C.DAILY_ORDER_COUNT: [
        ("under", Scene({"daily_order_count_max": 5}, book=_used(3, "0")), True),
        ("at", Scene({"daily_order_count_max": 5}, book=_used(4, "0")), True),
        ("over", Scene({"daily_order_count_max": 5}, book=_used(5, "0")), False),
    ],
    C.DAILY_NOTIONAL: [
        ("under", Scene({"daily_notional_usd_max": 2000}, book=_used(1, "989.99")), True),
        ("at", Scene({"daily_notional_usd_max": 2000}, book=_used(1, "990")), True),
        ("over", Scene({"daily_notional_usd_max": 2000}, book=_used(1, "990.01")), False),
        ("no price", Scene(last=None), False),
    ],
    C.POSITION_LIMIT: [
        ("under", Scene({"position_usd_max": "2020.01"}, held="10"), True),
        ("at", Scene({"position_usd_max": "2020"}, held="10"), True),
        ("over", Scene({"position_usd_max": "2019.99"}, held="10"), False),
        ("sell of less", Scene(held="10.1", decision=_decision(side=SELL)), True),
        ("sell of all", Scene(held="10", decision=_decision(side=SELL)), True),
        ("sell of more", Scene(held="9.999999999", decision=_decision(side=SELL)), False),
        ("sell of a short", Scene(held="-10", decision=_decision(side=SELL)), False),
        ("no price", Scene(last=None), False),
    ],
    C.BUYING_POWER: [
        ("under", Scene(buying_power="1010.01"), True),
        ("at", Scene(buying_power="1010"), True),
        ("over", Scene(buying_power="1009.99"), False),
        ("margin at", Scene({"buying_power_margin_percent": 4}, buying_power="1050.4"), True),
        ("margin over", Scene({"buying_power_margin_percent": 4}, buying_power="1050.39"), False),
        ("a sell needs none", Scene(buying_power="0", decision=_decision(side=SELL)), True),
        ("no price", Scene(last=None), False),
    ],
}
FLAT = [(control, *case) for control, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(
    ("control", "scene", "passes"),
    [(control, scene, passes) for control, _, scene, passes in FLAT],
    ids=[f"{control.value}: {what}" for control, what, _, _ in FLAT],
)
def test_each_control_at_its_limit_and_beside_it(
    control: Control, scene: Scene, passes: bool
) -> None:
    check = scene.check(control)
    assert check.passed is passes, check.explanation
    assert check.unit
    assert check.explanation


def test_every_control_has_a_rule_settings_and_cases_that_pass_and_fail() -> None:
    named = set(C) - {C.UNRECOGNISED}
    assert [rule.control for rule in RULES] == list(CASES)
    assert {rule.control for rule in RULES} == named
    for rule in RULES:
        assert {passes for _, _, passes in CASES[rule.control]} == {True, False}
        assert set(rule.settings) <= set(ExecutorSettings.model_fields)
        # A halt is an operator's act; everything else is configured.
        assert bool(rule.settings) is (rule.control is not C.HALT)
        for name in rule.settings:
            assert ExecutorSettings.model_fields[name].description


def test_every_control_is_recorded_and_all_pass_for_a_plain_order() -> None:
    checks = check_all(Question(Scene().decision, Scene().facts()))
    assert first_failed(checks) is None
    assert [check.control for check in checks] == [rule.control for rule in RULES]


def test_all_results_are_recorded_with_what_was_observed_also_when_one_blocks() -> None:
    scene = Scene({"order_size_shares_max": 5, "order_notional_usd_max": 500}, buying_power="700")
    (verdict,) = check_batch([scene.decision], scene.facts())
    assert len(verdict.checks) == len(RULES)
    failed = [check for check in verdict.checks if not check.passed]
    assert [(c.control, c.limit, c.observed, c.unit) for c in failed] == [
        (C.ORDER_SIZE, D(5), D(10), "shares"),
        (C.ORDER_NOTIONAL, D(500), D(1010), "USD"),
        (C.BUYING_POWER, D(700), D(1010), "USD"),
    ]
    assert verdict.blocked_by == failed[0]
    assert verdict.waits_for is None
    assert not verdict.may_go


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (Scene(last=None), "no last price"),
        (Scene(last="0"), "no last price"),
        (Scene(decision=replace(_decision(), price=None)), "no price of its own market"),
    ],
    ids=["none", "zero", "undecided"],
)
def test_what_cannot_be_told_blocks_by_the_collar_and_says_why(scene: Scene, words: str) -> None:
    (verdict,) = check_batch([scene.decision], scene.facts())
    assert verdict.blocked_by is not None
    assert verdict.blocked_by.control is C.PRICE_COLLAR
    assert verdict.blocked_by.observed is None
    assert words in verdict.blocked_by.explanation


def test_a_price_that_is_too_old_is_told_in_seconds() -> None:
    check = Scene({"price_age_open_s_max": 30}).check(C.PRICE_COLLAR)
    assert (check.limit, check.observed, check.unit) == (D(30), D(60), "seconds")


def test_every_day_begins_with_nothing_used() -> None:
    tomorrow = NOW + timedelta(days=1)
    scene = Scene({"daily_order_count_max": 1}, book=_used(1, "5000"), now=tomorrow)
    assert scene.check(C.DAILY_ORDER_COUNT).passed
    assert not replace(scene, now=NOW).check(C.DAILY_ORDER_COUNT).passed


@pytest.mark.parametrize("scope", ["everything", "symbol:ACME"])
def test_a_halt_and_staleness_also_stop_what_was_not_sent_yet(scope: str) -> None:
    halts, limits = Halts(), ExecutorSettings(stale_after_open_s=60)
    decision = _decision()
    assert recheck(decision, halts, limits, NOW) is None
    stale = recheck(decision, halts, limits, NOW + timedelta(seconds=1))
    assert stale is not None
    assert stale.control is C.STALE_DECISION
    halts.fold(_act(OperatorAct.HALT, scope))
    halted = recheck(decision, halts, limits, NOW)
    assert halted is not None
    assert halted.control is C.HALT
    halts.fold(_act(OperatorAct.RESUME, "everything"))
    assert recheck(decision, halts, limits, NOW) is None


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
        event_id=f"{act} {scope}",
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
