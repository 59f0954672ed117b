"""The simulated broker under any sequence of orders, cancellations and days: its book always adds up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.alpaca.arming import Arming
from simulators.alpaca.broker import Broker
from simulators.alpaca.checks import buying_power
from simulators.alpaca.interference import OrderFault
from simulators.alpaca.orders import TERMINAL, Fill, Order, OrderRequest
from simulators.alpaca.refusals import Refused
from simulators.world.prices import Bar, PriceTable
from tradetrail import sessions

START = datetime(2020, 8, 24, 11, tzinfo=UTC)
DAYS = sessions.sessions(date(2020, 8, 20), date(2020, 9, 30))
SYMBOLS = ("AAA", "BBB")


@dataclass(frozen=True)
class Listed:
    """An asset."""

    symbol: str
    name: str = ""


@dataclass(frozen=True)
class World:
    """Two symbols with prices by day."""

    prices: PriceTable
    assets: dict[str, Listed]


prices = st.decimals(Decimal("1"), Decimal("300"), places=2)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return a world of wild days: gaps, missing bars, splits. Drawn from one seed, so that it is quick."""
    random = draw(st.randoms(use_true_random=False))
    bars: dict[str, list[Bar]] = {}
    for symbol in SYMBOLS:
        bars[symbol] = []
        level = Decimal(random.randint(10, 200))
        for day in DAYS:
            split = random.choice([Decimal(1)] * 19 + [Decimal(4), Decimal("0.1")])
            level = max(level / split, Decimal(1))
            # Four decimals, as prices have: finer ones, day by day, outgrow what a sum can hold exactly.
            moves = [level * random.randint(90, 111) / 100 for _ in range(4)]
            four = sorted(price.quantize(Decimal("0.0001")) for price in moves)
            opening, closing = random.sample(four, 2)
            level = closing
            if random.random() > 0.05:
                bar = Bar(symbol, day, opening, four[3], four[0], closing, 1000, split)
                bars[symbol].append(bar)
    table = PriceTable(list(SYMBOLS), lambda symbol: bars[symbol])
    return World(table, {symbol: Listed(symbol) for symbol in SYMBOLS})


@st.composite
def requests(draw: st.DrawFn) -> OrderRequest:
    """Return an order of any supported kind."""
    kind = draw(st.sampled_from(["market", "market", "limit", "stop", "notional"]))
    whole = st.integers(1, 60).map(Decimal)
    parts = st.decimals(Decimal("0.1"), Decimal("20"), places=3)
    return OrderRequest(
        client_order_id=None,
        symbol=draw(st.sampled_from(SYMBOLS)),
        side=draw(st.sampled_from(["buy", "buy", "sell"])),
        type="market" if kind == "notional" else kind,
        time_in_force=draw(st.sampled_from(["day", "day", "gtc", "opg", "cls", "ioc"])),
        qty=None if kind == "notional" else draw(st.one_of(whole, parts)),
        notional=draw(prices) if kind == "notional" else None,
        limit_price=draw(prices) if kind == "limit" else None,
        stop_price=draw(prices) if kind == "stop" else None,
    )


steps = st.lists(
    st.one_of(
        requests(),
        requests(),
        st.sampled_from(["cancel", "partial", "reject"]),
        st.integers(1, 30).map(lambda hours: timedelta(hours=hours)),
    ),
    min_size=10,
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(world=worlds(), plan=steps)
def test_the_book_adds_up_whatever_happens(world: World, plan: list[object]) -> None:
    broker = Broker(world, START, Decimal(10_000))
    told: list[tuple[str, str, Decimal]] = []

    def listen(order: Order, event: str, _at_ns: int, fill: Fill | None) -> None:
        told.append((order.id, event, fill.qty if fill else Decimal(0)))

    broker.listeners.append(listen)
    for step in plan:
        if isinstance(step, OrderRequest):
            with suppress(Refused):
                broker.route(broker.submit(step))
        elif isinstance(step, timedelta):
            broker.move_to(min(START + timedelta(days=30), _now(broker) + step))
        elif step == "cancel":
            for order in broker.book.open_orders_by_age()[:1]:
                broker.cancel(order)
        elif step == "partial":
            fault = OrderFault("partial_fill", Arming(), fractions=(Decimal("0.4"),), rest="hold")
            broker.interference.faults.append(fault)
        else:
            broker.interference.faults.append(OrderFault("reject", Arming()))
        check(broker)
    assert sum(qty for _, _, qty in told) == sum(f.qty for f in broker.book.fills)


def check(broker: Broker) -> None:
    """Check every invariant of the book."""
    book = broker.book
    assert book.cash == book.starting_cash + sum(fill.cash_change for fill in book.fills)
    assert book.cash >= 0
    assert book.reserved == sum(order.reserved for order in book.open_orders.values())
    assert book.reserved >= 0
    assert buying_power(book, broker.market) >= 0
    assert set(book.open_orders) == {o.id for o in book.orders.values() if o.is_open}
    for symbol, position in book.positions.items():
        assert position.qty > 0
        assert book.held_qty(symbol) <= position.qty
    stamps = [c.at_ns for order in book.orders.values() for c in order.changes]
    assert len(stamps) == len(set(stamps))
    for order in book.orders.values():
        fills = [fill for fill in book.fills if fill.order_id == order.id]
        assert sum(fill.qty for fill in fills) == order.filled_qty
        assert sum(fill.qty * fill.price for fill in fills) == order.filled_cost
        assert [c.status in TERMINAL for c in order.changes[:-1]].count(True) == 0
        assert order.changes[-1].status == order.status


def _now(broker: Broker) -> datetime:
    return datetime.fromtimestamp(broker.now_ns / 1e9, UTC).replace(microsecond=0)


def test_a_done_order_can_not_change() -> None:
    bars = [Bar("AAA", day, *(Decimal(10),) * 4, 1) for day in DAYS]
    table = PriceTable(["AAA"], lambda _: bars)
    broker = Broker(World(table, {"AAA": Listed("AAA")}), START, Decimal(100))
    order = broker.submit(OrderRequest("x", "AAA", "buy", "market", "day", qty=Decimal(1)))
    broker.cancel(order)
    with pytest.raises(Refused, match='already in "canceled" state'):
        broker.cancel(order)
    with pytest.raises(ValueError, match="can't become"):
        broker.finish(order, "expired", "expired")


def test_time_does_not_go_back() -> None:
    broker = Broker(World(PriceTable([], lambda _: []), {}), START, Decimal(100))
    with pytest.raises(ValueError, match="no way back"):
        broker.move_to(START - timedelta(seconds=1))


def test_a_sell_of_old_shares_on_the_morning_of_a_reverse_split_is_canceled() -> None:
    split_on = DAYS[DAYS.index(START.date()) + 1]
    bars = []
    for day in DAYS:
        price = Decimal(1000 if day >= split_on else 100)
        split = Decimal("0.1") if day == split_on else Decimal(1)
        bars.append(Bar("AAA", day, price, price, price, price, 1000, split))
    world = World(PriceTable(["AAA"], lambda _: bars), {"AAA": Listed("AAA")})
    broker = Broker(world, START, Decimal(10_000))
    broker.route(broker.submit(_request("buy", 50)))
    broker.move_to(datetime(split_on.year, split_on.month, split_on.day, 11, tzinfo=UTC))
    first = broker.submit(_request("sell", 4))
    second = broker.submit(_request("sell", 23))
    broker.move_to(_now(broker) + timedelta(hours=12))
    assert (first.status, second.status) == ("filled", "canceled")
    assert broker.book.positions["AAA"].qty == 1


def _request(side: str, qty: int) -> OrderRequest:
    return OrderRequest(
        client_order_id=None,
        symbol="AAA",
        side=side,
        type="market",
        time_in_force="day",
        qty=Decimal(qty),
        notional=None,
        limit_price=None,
        stop_price=None,
    )
