"""A person's order as a recorded act: what the command line writes and the decider reads. Pure.

``OperatorActed(act=manual_order)`` stands under its symbol; its arguments are canonical JSON, numbers as text, so that
no digit is lost. Key and symbol together make the decision's id: the same key asks the same thing again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tradetrail.errors import Poison, UsageError
from tradetrail.events.generated import (
    DeclineReason,
    OperatorAct,
    OperatorActed,
    OrderType,
    Side,
    TimeInForce,
)
from tradetrail.ids import derive_id
from tradetrail.order_rules import price_increment
from tradetrail.reports.encode import plain
from tradetrail.symbols import check_symbol

STRATEGY, VERSION = "manual", "1.0.0"
# A name, and a sentence or two: enough to explain an order, too little to hide one in.
OPERATOR_LENGTH_MAX, WHY_LENGTH_MAX, KEY_LENGTH_MAX = 100, 1_000, 100
# Of shares, and of USD a share: far above any real order, so that a slip of the finger stops here.
NUMBER_MAX = Decimal(1_000_000_000)

_NUMBER = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?")
_KEY = re.compile(rf"[A-Za-z0-9._:-]{{1,{KEY_LENGTH_MAX}}}")
_SIDES = {side.value: side for side in (Side.BUY, Side.SELL)}
_TIMES_IN_FORCE = {each.value: each for each in (TimeInForce.DAY, TimeInForce.GTC)}
_ARGUMENTS = frozenset({"side", "quantity", "limit_price", "time_in_force"})


class BadOrder(Poison):
    """An order that can't be read or placed; ``code`` is the reason a decline names."""

    def __init__(self, message: str, code: DeclineReason = DeclineReason.INVALID_ORDER) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ManualOrder:
    """What a person wants: shares, and USD a share for a limit order (None: at market)."""

    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce

    @property
    def order_type(self) -> OrderType:
        """Return market or limit."""
        return OrderType.MARKET if self.limit_price is None else OrderType.LIMIT

    @property
    def text(self) -> str:
        """Return the order as a person would say it."""
        price = "at market" if self.limit_price is None else f"at {plain(self.limit_price)} USD"
        return f"{self.side} {plain(self.quantity)} {self.symbol} {price}, {self.time_in_force}"

    def arguments(self) -> str:
        """Return the order as canonical JSON, without the symbol it stands under."""
        content = {
            "side": self.side.value,
            "quantity": plain(self.quantity),
            "limit_price": None if self.limit_price is None else plain(self.limit_price),
            "time_in_force": self.time_in_force.value,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Submission:
    """An order with who gave it, why, and the key under which it counts once."""

    order: ManualOrder
    operator: str
    why: str
    key: str

    @property
    def decision_id(self) -> str:
        """Return the id of the decision it asks for: a function of symbol and key."""
        return str(derive_id("manual-order", self.order.symbol, self.key))

    @property
    def act_id(self) -> str:
        """Return the id of the act: the same for the same submission, another for any other contents of the key."""
        contents = (self.operator, self.why, self.order.arguments())
        return str(derive_id("operator-acted", self.decision_id, *contents))

    def act(self, envelope: dict[str, Any]) -> OperatorActed:
        """Return the act; ``envelope`` says who records it and when (UTC)."""
        return OperatorActed(
            event_id=self.act_id,
            **envelope,
            symbol=self.order.symbol,
            story_id=self.decision_id,
            act=OperatorAct.MANUAL_ORDER,
            operator=self.operator,
            why=self.why,
            scope=self.order.symbol,
            arguments=self.order.arguments(),
            decision_id=self.decision_id,
            idempotency_key=self.key,
        )


def manual_order(
    symbol: str, side: str, quantity: str, limit_price: str | None, time_in_force: str
) -> ManualOrder:
    """Return an order from words as typed. Raises BadOrder with what is wrong with it."""
    if side not in _SIDES or time_in_force not in _TIMES_IN_FORCE:
        raise BadOrder(
            f"{side[:20]!r} and {time_in_force[:20]!r}: a side is buy or sell, a time in force day or gtc"
        )
    shares = read_shares(quantity)
    if shares % 1 and time_in_force != TimeInForce.DAY.value:
        raise BadOrder(
            f"{quantity} shares are a fraction, which the broker takes for day orders only: give whole shares or day"
        )
    limit = None if limit_price is None else read_limit(limit_price)
    return ManualOrder(symbol, _SIDES[side], shares, limit, _TIMES_IN_FORCE[time_in_force])


def submission(order: ManualOrder, operator: str, why: str, key: str) -> Submission:
    """Return the order with its person, reason and key. Raises BadOrder for one that is empty, too long or no text."""
    check_person(operator, why, key)
    return Submission(order, operator, why, key)


def check_person(operator: str, why: str, key: str) -> None:
    """Raise BadOrder when a person, a reason or a key is empty, too long or no text."""
    for name, text, length_max in (
        ("who orders", operator, OPERATOR_LENGTH_MAX),
        ("the reason", why, WHY_LENGTH_MAX),
    ):
        if not text.strip() or len(text) > length_max or not text.isprintable():
            raise BadOrder(
                f"{name} must be said in one line of 1 to {length_max} characters, not {text[:40]!r}"
            )
    if not _KEY.fullmatch(key):
        raise BadOrder(
            f"a key has 1 to {KEY_LENGTH_MAX} letters, digits and . _ : -, not {key[:40]!r}"
        )


def read_act(act: OperatorActed, symbol: str) -> Submission:
    """Return what a recorded act under ``symbol`` asks for. Raises BadOrder with what is wrong with it."""
    try:
        is_symbol = check_symbol(symbol) == symbol == act.symbol
    except UsageError:
        is_symbol = False
    if not is_symbol:
        raise BadOrder(
            f"the act names symbol {act.symbol!r} and stands under {symbol[:40]!r}: it must stand under its own"
        )
    asked = submission(
        _read_arguments(symbol, act.arguments), act.operator, act.why, act.idempotency_key or ""
    )
    if act.decision_id != asked.decision_id:
        raise BadOrder(
            f"the act names decision {act.decision_id}, its key makes {asked.decision_id}"
        )
    return asked


def _read_arguments(symbol: str, text: str) -> ManualOrder:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadOrder(f"the arguments are no JSON: {str(error)[:80]}") from error
    if not isinstance(content, dict) or content.keys() != _ARGUMENTS:
        raise BadOrder(
            f"the arguments must be an object of {', '.join(sorted(_ARGUMENTS))}, not {text[:80]!r}"
        )
    for name, value in content.items():
        if not isinstance(value, str) and not (name == "limit_price" and value is None):
            raise BadOrder(f"{name} must be text, not {str(value)[:40]}")
    return manual_order(symbol, **content)


def read_shares(text: str) -> Decimal:
    """Return a number of shares as typed. Raises BadOrder unless it is above 0 with at most nine decimals."""
    shares = _number("the quantity", text)
    if shares == 0:
        raise BadOrder("the quantity is zero: nothing to order", DeclineReason.ZERO_QUANTITY)
    return shares


def read_limit(text: str) -> Decimal:
    """Return a limit price as typed, USD a share. Raises BadOrder unless it is above 0 in the broker's steps."""
    price = _number("the limit price", text)
    step = price_increment(price)
    if price == 0 or price % step:
        raise BadOrder(
            f"a limit price of {text} USD can't be placed: it must be above 0, in steps of {step} USD"
        )
    return price


def _number(name: str, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text) or Decimal(text) > NUMBER_MAX:
        raise BadOrder(
            f"{name} must be a number of at most {NUMBER_MAX} with at most nine decimals, not {text[:40]!r}"
        )
    return Decimal(text)
