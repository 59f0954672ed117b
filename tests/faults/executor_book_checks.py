"""What must hold between an executor's log and its broker's own book. Pure: events and the book in, violations out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.faults.executor_checks import Attempt, Story, discovered, stories
from tests.faults.plain_log import Seen
from tradetrail.events.generated import DecisionMade, OrderStatus

ZERO, _CENT = Decimal(0), Decimal("0.01")
# What the broker calls an order that is over, and what the log then says of its execution.
_OVER = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    "replaced": OrderStatus.REPLACED,
}
# An execution that ended so may have no order: refused at once, or never sent.
_WITHOUT_ORDER = {OrderStatus.REJECTED, OrderStatus.ERROR}


@dataclass(frozen=True, slots=True)
class Limits:
    """What no order may have exceeded, USD and orders of a day."""

    daily_notional_usd: Decimal
    daily_order_count: int
    position_usd: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """The broker's book (``GET /control``), what was held at first, and the limits that were in force."""

    book: Mapping[str, Any]
    held: Mapping[str, Decimal]
    limits: Limits
    prices: Mapping[str, Decimal]
    """What a share was valued at, by symbol."""
    hides: bool = False
    """Whether the broker denied orders it had, or was about to have: then the same order may come again."""
    forbidden: Collection[str] = ()
    """Decisions that came under an acknowledged halt: none of them may be sent."""
    quiet: Sequence[tuple[Mapping[str, int], Mapping[str, int]]] = ()
    """Posts by order when a halt was acknowledged, and when it was lifted."""


def violations_of(seen: Sequence[Seen], account: Account) -> list[str]:
    """Return every way in which the log and the broker's book contradict each other, or a limit was exceeded."""
    told = stories(seen)
    attempts = {
        each.intent.client_order_id: each
        for story in told.values()
        for each in story.attempts.values()
    }
    return [
        *_posts(attempts, account),
        *_orders(attempts, seen, account),
        *_fills(attempts, account),
        *_money(attempts, seen, account),
        *_sequence(seen, attempts, account),
        *_limits(account),
        *_halted(told, account),
    ]


def _orders_by_id(account: Account) -> dict[str, dict[str, Any]]:
    return {order["client_order_id"]: order for order in account.book["orders"]}


def _posts(attempts: Mapping[str, Attempt], account: Account) -> list[str]:
    """An order is sent once, and again only under its old id, after a new announcement, when it never arrived."""
    book = account.book
    found = [f"order {name} was posted with two bodies" for name in book["changed_order_posts"]]
    for name, count in book["order_posts"].items():
        if not name:
            # Who died between head and body of a request: the broker could not read it.
            continue
        attempt = attempts.get(name)
        if attempt is None:
            found.append(f"order {name} was posted, and the log has no intent of it")
            continue
        again = sum(1 for u in attempt.updates if u.status is OrderStatus.SUBMITTING)
        if count > 1 + again:
            found.append(f"order {name} was posted {count} times, announced {1 + again} times")
    if not account.hides:
        found += [
            f"order {name} was posted again although the broker had it and said so"
            for name in book["refused_duplicates"]
        ]
    return found


def _orders(attempts: Mapping[str, Attempt], seen: Sequence[Seen], account: Account) -> list[str]:
    """The broker has each order that the log says it has, as it was intended, and no other."""
    orders, found = _orders_by_id(account), []
    counts = Counter(order["client_order_id"] for order in account.book["orders"])
    found += [f"order {name} is at the broker {n} times" for name, n in counts.items() if n > 1]
    known = discovered(seen)
    for name, order in orders.items():
        attempt = attempts.get(name)
        if attempt is None:
            if order["id"] not in known:
                found.append(f"order {name} is at the broker, and the log lacks it")
            continue
        intent, what = attempt.intent, f"{order['symbol']}: order {name}"
        intended = (intent.symbol, intent.side, intent.quantity, intent.limit_price)
        limit = order["limit_price"]
        there = (
            order["symbol"],
            order["side"],
            Decimal(order["qty"]),
            None if limit is None else Decimal(limit),
        )
        if intended != there:
            found.append(f"{what} is {there}, intended was {intended}")
        wanted = _OVER.get(order["status"])
        if attempt.status is not wanted and order["id"] not in known:
            found.append(f"{what} is {order['status']} at the broker, {attempt.status} in the log")
    found += [
        f"order {name} is {each.status} in the log, and the broker has none"
        for name, each in attempts.items()
        if name not in orders and each.status not in _WITHOUT_ORDER
    ]
    return found


def _fills(attempts: Mapping[str, Attempt], account: Account) -> list[str]:
    """No fill is lost or doubled: single fills, the total and the broker agree, in shares and in dollars."""
    orders, found = _orders_by_id(account), []
    value: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in account.book["fills"]:
        value[fill["client_order_id"]] += Decimal(fill["qty"]) * Decimal(fill["price"])
    for name, attempt in attempts.items():
        fills = [(u.fill_qty, u.fill_price) for u in attempt.updates if u.fill_qty is not None]
        single = sum((qty for qty, _ in fills), ZERO)
        total = attempt.updates[-1].filled_qty_total if attempt.updates else ZERO
        there = Decimal(orders[name]["filled_qty"]) if name in orders else ZERO
        if not single == total == there:
            found.append(f"order {name}: fills of {single}, total {total}, broker {there}")
        paid = sum((qty * (price or ZERO) for qty, price in fills), ZERO)
        if single == there and paid != value[name]:
            found.append(f"order {name}: fills worth {paid} USD, by the broker {value[name]} USD")
    return found


def _money(attempts: Mapping[str, Attempt], seen: Sequence[Seen], account: Account) -> list[str]:
    """Cash and positions are what the log's fills make of those at first."""
    cash, positions = Decimal(account.book["account"]["starting_cash"]), dict(account.held)

    def take(symbol: str, side: str, qty: Decimal, price: Decimal) -> Decimal:
        signed = qty if side == "buy" else -qty
        positions[symbol] = positions.get(symbol, ZERO) + signed
        return -signed * price

    for attempt in attempts.values():
        for update in attempt.updates:
            if update.fill_qty is not None:
                intent, price = attempt.intent, update.fill_price or ZERO
                cash += take(intent.symbol or "", intent.side, update.fill_qty, price)
    for order in discovered(seen).values():
        price = order.filled_avg_price or ZERO
        cash += take(order.symbol or "", order.side, order.filled_qty_total, price)
    found = []
    if cash != Decimal(account.book["account"]["cash"]):
        found.append(f"cash is {account.book['account']['cash']}, the log's fills make it {cash}")
    there = {each["symbol"]: Decimal(each["qty"]) for each in account.book["positions"]}
    found += [
        f"{symbol}: the position is {there.get(symbol, ZERO)}, the log's fills make it {qty}"
        for symbol, qty in positions.items()
        if there.get(symbol, ZERO) != qty
    ]
    return found


def _sequence(seen: Sequence[Seen], attempts: Mapping[str, Attempt], account: Account) -> list[str]:
    """The broker got a symbol's first orders in the order of its decisions."""
    decisions = [s.event.decision_id for s in seen if isinstance(s.event, DecisionMade)]
    numbers = {name: number for number, name in enumerate(decisions)}
    newest: dict[str, int] = {}
    found = []
    for order in sorted(account.book["orders"], key=lambda o: _instant(o["created_at"])):
        attempt = attempts.get(order["client_order_id"])
        if attempt is None or attempt.intent.attempt_number > 1:
            continue
        symbol, number = order["symbol"], numbers.get(attempt.intent.decision_id, -1)
        if number < newest.get(symbol, -1):
            found.append(f"{symbol}: the broker got {order['client_order_id']} after a later one")
        newest[symbol] = max(number, newest.get(symbol, -1))
    return found


def _limits(account: Account) -> list[str]:
    """No limit was ever exceeded, recounted from what reached the broker."""
    limits, found = account.limits, []
    by_day: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for order in sorted(account.book["orders"], key=lambda o: _instant(o["created_at"])):
        orders = by_day[order["created_at"][:10]]
        orders.append(order)
        used = sum((_used(o, order["created_at"], account) for o in orders), ZERO)
        if used > limits.daily_notional_usd:
            day = order["created_at"][:10]
            found.append(f"orders of {day} are worth {used} USD, above the limit")
    for day, orders in by_day.items():
        if len(orders) > limits.daily_order_count:
            found.append(f"there are {len(orders)} orders of {day}, more than the limit")
    cash = Decimal(account.book["account"]["starting_cash"])
    for fill in account.book["fills"]:
        qty, symbol = Decimal(fill["position_qty"]), fill["symbol"]
        cash += Decimal(fill["cash_change"])
        # As it was valued when the order was allowed: by its own limit, else by the price of that moment.
        price = min(account.prices.get(symbol, ZERO), Decimal(fill["price"]))
        value = (qty * price).quantize(_CENT)
        if qty < 0:
            found.append(f"{symbol}: {-qty} shares were sold short")
        if fill["side"] == "buy" and value > limits.position_usd:
            found.append(f"{symbol}: the position was {value} USD, above the limit")
    if cash < 0:
        found.append(f"{-cash} USD were spent that the account never had")
    return found


def _value(order: Mapping[str, Any], account: Account) -> Decimal:
    price = order["limit_price"]
    each = account.prices.get(order["symbol"], ZERO) if price is None else Decimal(price)
    return (each * Decimal(order["qty"])).quantize(_CENT)


def _used(order: Mapping[str, Any], at: str, account: Account) -> Decimal:
    """Return what an order took of the day's value at an instant: what it did not fill is given back at its end."""
    value = _value(order, account)
    last = next((c for c in reversed(order["changes"]) if _instant(c["at"]) <= _instant(at)), None)
    if last is None or last["status"] not in _OVER:
        return value
    return (value * Decimal(last["filled_qty"]) / Decimal(order["qty"])).quantize(_CENT)


def _instant(text: str) -> tuple[str, str]:
    """Return what sorts by time, of a text whose fraction may be cut."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return whole, fraction.ljust(9, "0")


def _halted(told: Mapping[str, Story], account: Account) -> list[str]:
    """Nothing is sent under a halt, and nothing ever of what came under it."""
    found = [
        f"order {name} was posted after a halt was acknowledged"
        for before, after in account.quiet
        for name, count in after.items()
        if count > before.get(name, 0)
    ]
    return found + [
        f"decision {name} came under a halt, and order {each.intent.client_order_id} was posted"
        for name in account.forbidden
        if name in told
        for each in told[name].attempts.values()
        if account.book["order_posts"].get(each.intent.client_order_id)
    ]
