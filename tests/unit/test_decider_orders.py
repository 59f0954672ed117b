"""The shape of orders: what a strategy's settings make of a signal, as far as the broker's door."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from services.decider.answering.decision import (
    Making,
    Question,
    decline_in_context,
    made,
    quantity_of,
)
from services.decider.catalogue import available, strategies_named
from services.decider.contexts.context import Context
from services.decider.settings import DeciderSettings
from services.decider.signals.order_shape import OrderSettings, limit_price_of, shares_of
from services.decider.signals.signal import Signal
from services.decider.strategies.congressional import CongressionalSettings
from services.decider.strategies.insider import CorporateInsiderStrategy, InsiderSettings
from services.executor.recording.orders import order_request
from services.executor.state.book import Book
from tests.unit.decider_views import NOW, context, place, trigger, view
from tradetrail.errors import UsageError
from tradetrail.events.generated import (
    DecisionMade,
    DeclineReason,
    OrderType,
    Side,
    TimeInForce,
)
from tradetrail.log.configuration import Stamp
from tradetrail.settings import load

LIMIT: dict[str, Any] = {"order_type": "limit", "limit_offset_fraction": "0.02"}
SETTINGS = DeciderSettings()


def question(side: Side = Side.BUY, **shape: Any) -> Question:
    signal = Signal(side, Decimal(5), Decimal("0.5"), f"insider_{side}", (), False, ())
    settings = InsiderSettings.model_validate(shape)
    return Question(CorporateInsiderStrategy(settings), trigger(), view(), signal)


def decided(asked: Question, around: Context) -> DecisionMade:
    making = Making(Stamp("decider", "test"), SETTINGS, "0", NOW)
    return made(asked, making, around, quantity_of(asked, around, SETTINGS))


def request_of(decision: DecisionMade) -> dict[str, str]:
    """Return the order's body as the executor would send it."""
    book = Book()
    book.fold(decision, place(1))
    taken = book.decisions[decision.decision_id]
    body: dict[str, str] = json.loads(order_request(taken, 1, queues=False))
    return {name: value for name, value in body.items() if name != "client_order_id"}


def test_orders_are_market_day_and_whole_unless_told_otherwise() -> None:
    for kind in available().values():
        shape = kind(kind.settings_type()).order
        assert (shape.order_type, shape.time_in_force, shape.quantity) == ("market", "day", "whole")
    decision = decided(question(), context(price="49"))
    assert (decision.order_type, decision.limit_price) == (OrderType.MARKET, None)
    assert (decision.time_in_force, decision.quantity) == (TimeInForce.DAY, Decimal(20))
    assert request_of(decision) == {
        "symbol": "AAPL",
        "qty": "20",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
    }


@pytest.mark.parametrize(
    ("side", "close", "offset", "limit"),
    [
        (Side.BUY, "100", "0.02", "102"),
        (Side.SELL, "100", "0.02", "98"),
        (Side.BUY, "10.01", "0.015", "10.16"),
        (Side.SELL, "10.01", "0.015", "9.86"),
        (Side.BUY, "100", "0", "100"),
        (Side.BUY, "0.9900", "0.01", "0.9999"),
        (Side.BUY, "0.9999", "0.01", "1.00"),
        (Side.SELL, "1.005", "0.01", "0.995"),
        (Side.SELL, "0.12345", "0.01", "0.1223"),
        (Side.BUY, "0.00005", "0", "0.0001"),
    ],
)
def test_a_limit_is_the_close_and_its_offset_in_the_brokers_increments(
    side: Side, close: str, offset: str, limit: str
) -> None:
    shape = OrderSettings(order_type="limit", limit_offset_fraction=Decimal(offset))
    assert limit_price_of(shape, side, Decimal(close)) == Decimal(limit)


def test_a_limit_buy_is_sized_by_what_it_may_cost() -> None:
    around = context(price="50", value="100000")
    assert quantity_of(question(), around, SETTINGS) == 20
    decision = decided(question(**LIMIT, time_in_force="gtc"), around)
    assert (decision.quantity, decision.limit_price) == (Decimal(19), Decimal(51))
    assert request_of(decision) == {
        "symbol": "AAPL",
        "qty": "19",
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "limit_price": "51",
    }


def test_a_fractional_buy_has_nine_decimals_and_never_exceeds_its_worth() -> None:
    decision = decided(question(quantity="fractional"), context(price="333", value="100000"))
    assert decision.quantity == Decimal("3.003003003")
    assert request_of(decision)["qty"] == "3.003003003"


@pytest.mark.parametrize(("quantity", "sold"), [("whole", "4"), ("fractional", "4.5")])
def test_a_sell_leaves_the_position_as_far_as_its_shape_allows(quantity: str, sold: str) -> None:
    decision = decided(question(Side.SELL, quantity=quantity), context(position="4.5"))
    assert decision.quantity == Decimal(sold)


@pytest.mark.parametrize(
    ("side", "quantity", "price", "value", "position", "reason"),
    [
        (Side.BUY, "whole", "1000.01", "100000", "0", DeclineReason.ZERO_QUANTITY),
        (Side.BUY, "whole", "1000", "100000", "0", None),
        (Side.BUY, "fractional", "1000.01", "100000", "0", None),
        (Side.BUY, "fractional", "50", "100", "0", None),
        (Side.BUY, "fractional", "50", "99.99", "0", DeclineReason.ZERO_QUANTITY),
        (Side.SELL, "whole", "50", "100000", "0.5", DeclineReason.ZERO_QUANTITY),
        (Side.SELL, "fractional", "50", "100000", "0.5", None),
        (Side.SELL, "fractional", "50", "100000", "0", DeclineReason.NO_POSITION),
        (Side.SELL, "whole", "50", "100000", "-5", DeclineReason.NO_POSITION),
    ],
)
def test_what_is_too_little_to_order_is_declined_with_the_numbers(
    side: Side,
    quantity: str,
    price: str,
    value: str,
    position: str,
    reason: DeclineReason | None,
) -> None:
    asked, around = question(side, quantity=quantity), context(price, value, position)
    why = decline_in_context(asked, around, quantity_of(asked, around, SETTINGS))
    assert (why[0] if why else None) is reason
    if reason is DeclineReason.ZERO_QUANTITY:
        assert why is not None
        assert (value if side is Side.BUY else position) in why[1]


def test_a_symbol_without_a_price_has_neither_quantity_nor_limit() -> None:
    around = Context(None, Decimal(0), Decimal(1), Decimal(1))
    asked = question(**LIMIT)
    assert quantity_of(asked, around, SETTINGS) == 0
    why = decline_in_context(asked, around, Decimal(0))
    assert why is not None
    assert why[0] is DeclineReason.NOT_TRADABLE


def test_nothing_is_ordered_of_less_than_nothing() -> None:
    assert shares_of(OrderSettings(), Decimal(-1)) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRADETRAIL_INSIDER_ORDER_TYPE", "stop"),
        ("TRADETRAIL_INSIDER_LIMIT_OFFSET_FRACTION", "-0.01"),
        ("TRADETRAIL_INSIDER_LIMIT_OFFSET_FRACTION", "0.51"),
        ("TRADETRAIL_INSIDER_TIME_IN_FORCE", "ioc"),
        ("TRADETRAIL_INSIDER_QUANTITY", "half"),
        ("TRADETRAIL_INSIDER_SALE_FACTOR", "0"),
        ("TRADETRAIL_INSIDER_STRENGTH_MIN", "11"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name):
        load(InsiderSettings)


def test_fractions_of_shares_are_day_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADETRAIL_CONGRESSIONAL_QUANTITY", "fractional")
    assert load(CongressionalSettings).quantity == "fractional"
    monkeypatch.setenv("TRADETRAIL_CONGRESSIONAL_TIME_IN_FORCE", "gtc")
    with pytest.raises(UsageError, match="QUANTITY=fractional needs TIME_IN_FORCE=day"):
        load(CongressionalSettings)


def test_each_strategy_has_its_own_shape_and_records_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADETRAIL_INSIDER_ORDER_TYPE", "limit")
    names = ("CongressionalTradingStrategy", "CorporateInsiderStrategy")
    assert DeciderSettings().strategies == names
    congressional, insider = strategies_named(names)
    assert [congressional.order.order_type, insider.order.order_type] == ["market", "limit"]
    assert insider.configuration()["order_type"] == "limit"
    assert insider.configuration()["value_usd_min"] == "10000"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("NoSuchStrategy",), "NoSuchStrategy"),
        (("CorporateInsiderStrategy", "CorporateInsiderStrategy"), "twice"),
    ],
)
def test_names_that_make_no_sense_are_refused(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        strategies_named(names)
