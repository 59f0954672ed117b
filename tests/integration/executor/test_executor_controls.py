"""Controls that ask the broker and the market data, with the simulated ones: at the limit, and over it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.eventually import eventually
from tests.integration.executor.harness import IN_SESSION, Desk, Gate, decision_made
from tradetrail.events.generated import (
    ApiCallRecorded,
    CallPurpose,
    Control,
    DecisionMade,
    OrderBlocked,
    OrderSubmitting,
    RiskCheck,
)

pytestmark = pytest.mark.stack
D = Decimal
# ACME costs 101 dollars, SPLT 402, PNNY 0.55: the last of these orders leaves nothing.
CASH = 20 * 101 + 402 + 2000 * D("0.55")


def _blocked(desk: Desk, decision: DecisionMade) -> tuple[Control, Decimal | None, Decimal | None]:
    """Return which control blocked a decision, its limit, and what was observed."""
    (event,) = desk.of(OrderBlocked, decision)
    return event.control, event.limit, event.observed


def _passed(desk: Desk, decision: DecisionMade, control: Control) -> RiskCheck:
    (intent,) = desk.of(OrderSubmitting, decision)
    assert all(check.passed for check in intent.risk_checks)
    return next(check for check in intent.risk_checks if check.control is control)


def test_collar_position_and_buying_power_at_their_limits_and_over_them(desk: Desk) -> None:
    desk.alpaca.control(account={"cash": str(CASH)}, now=IN_SESSION)
    gate = Gate(desk.alpaca.url)
    process = desk.executor(
        {"TRADETRAIL_ALPACA_DATA_URL": gate.url},
        price_collar_market_percent=1,
        position_usd_max=2020,
    )
    process.wait_active()
    # Decided at 100 dollars: it has risen by the collar's one percent, and fills the position.
    full = decision_made("full", quantity="20", price="100", strength="9", at=IN_SESSION)
    moved = decision_made("moved", quantity="2", price="99.99", at=IN_SESSION)
    more = decision_made("more", quantity="1", at=IN_SESSION)
    at_collar = decision_made("at", "SPLT", quantity="1", limit_price="422.10", at=IN_SESSION)
    over_collar = decision_made("over", "SPLT", quantity="2", limit_price="422.11", at=IN_SESSION)
    priceless = decision_made("priceless", "NOPRICE", price="1", at=IN_SESSION)
    first = (full, moved, more, at_collar, over_collar, priceless)
    desk.decide(*first)
    # Without market data they wait, and it says why.
    eventually(
        process.health,
        lambda health: "market data" in health["broker"] and health["runnable"] == len(first),
    )
    gate.open()
    try:
        desk.eventually_over(*first)
        dear = decision_made("dear", "PNNY", quantity="2001", price="0.55", at=IN_SESSION)
        last = decision_made("last", "PNNY", quantity="2000", price="0.55", at=IN_SESSION)
        desk.decide(dear, last)
        desk.eventually_over(dear, last)
    finally:
        gate.close()

    collar = _passed(desk, full, Control.PRICE_COLLAR)
    assert (collar.limit, collar.observed, collar.unit) == (D(1), D(1), "%")
    position = _passed(desk, full, Control.POSITION_LIMIT)
    assert (position.limit, position.observed, position.unit) == (D(2020), D(2020), "USD")
    assert _blocked(desk, moved) == (Control.PRICE_COLLAR, D(1), D("1.010102"))
    assert _blocked(desk, more) == (Control.POSITION_LIMIT, D(2020), D(2121))
    collar = _passed(desk, at_collar, Control.PRICE_COLLAR)
    assert (collar.limit, collar.observed) == (D(5), D(5))
    assert _blocked(desk, over_collar) == (Control.PRICE_COLLAR, D(5), D("5.002488"))
    assert _blocked(desk, priceless) == (Control.PRICE_COLLAR, D(1), None)
    assert _blocked(desk, dear) == (Control.BUYING_POWER, D(1100), D("1100.55"))
    power = _passed(desk, last, Control.BUYING_POWER)
    assert (power.limit, power.observed, power.unit) == (D(1100), D(1100), "USD")
    account = desk.alpaca.book()["account"]
    assert D(account["cash"]) == 0
    calls = {each.call_id: each for each in desk.of(ApiCallRecorded)}
    (refused,) = desk.of(OrderBlocked, moved)
    purposes = {calls[each].purpose for each in refused.api_call_ids}
    assert purposes == {CallPurpose.PORTFOLIO_CONTEXT, CallPurpose.MARKET_CONTEXT}
    asked = [e for e in calls.values() if e.purpose is CallPurpose.MARKET_CONTEXT]
    assert {call.endpoint for call in asked} == {"/v2/stocks/trades/latest"}
