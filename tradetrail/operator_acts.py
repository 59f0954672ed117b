"""What a person asks of the executors, as recorded acts: what the command line writes and an executor reads. Pure.

Halts, resumes and reconciliations stand on the control topic; what concerns one order stands under its symbol.
Arguments are canonical JSON, numbers as text, so that no digit is lost.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from tradetrail.events.generated import OperatorAct, OperatorActed
from tradetrail.ids import derive_id
from tradetrail.manual_orders import BadOrder, check_person, read_limit, read_shares
from tradetrail.reports.encode import plain
from tradetrail.symbols import check_symbol

EVERYTHING = "everything"
SYMBOL, STRATEGY = "symbol:", "strategy:"
# The broker's own ids are UUIDs; a name of a strategy or an id of ours is no longer either.
NAME_LENGTH_MAX = 100

ORDER_ACTS = frozenset(
    {OperatorAct.CANCEL_ORDER, OperatorAct.REPLACE_ORDER, OperatorAct.RESOLVE_ORDER}
)
"""Acts on one order: they stand under its symbol, and so do their answers."""
HALTING = frozenset({OperatorAct.HALT, OperatorAct.RESUME})


class Fate(StrEnum):
    """What a person says became of an order of unknown fate."""

    NOT_SENT = "not-sent"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Replacement:
    """What an open order is to become; None leaves it as it is. USD a share."""

    quantity: Decimal | None
    limit_price: Decimal | None

    @property
    def text(self) -> str:
        """Return the change as a person would say it."""
        parts = []
        if self.quantity is not None:
            parts.append(f"{plain(self.quantity)} shares")
        if self.limit_price is not None:
            parts.append(f"a limit of {plain(self.limit_price)} USD")
        return " at ".join(parts)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of an order of unknown fate: shares filled in all, at an average price in USD a share."""

    fate: Fate
    quantity: Decimal
    price: Decimal | None
    broker_order_id: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One act: who, why, what, and the key under which it counts once.

    ``scope`` is what is halted, or the id of a decision or execution as typed.
    """

    act: OperatorAct
    scope: str
    operator: str
    why: str
    key: str
    arguments: str = "{}"
    symbol: str | None = None
    decision_id: str | None = None
    execution_id: str | None = None

    @property
    def act_id(self) -> str:
        """Return the id of the act: the same for the same act, another for any other contents of the key."""
        contents = (self.act, self.scope, self.symbol or "", self.operator, self.why)
        return str(derive_id("operator-asked", self.key, *contents, self.arguments))

    def event(self, envelope: dict[str, Any]) -> OperatorActed:
        """Return the act as an event; ``envelope`` says who records it and when (UTC)."""
        return OperatorActed(
            event_id=self.act_id,
            **envelope,
            symbol=self.symbol,
            story_id=self.decision_id,
            act=self.act,
            operator=self.operator,
            why=self.why,
            scope=self.scope,
            arguments=self.arguments,
            decision_id=self.decision_id,
            execution_id=self.execution_id,
            idempotency_key=self.key,
        )


def asked(
    act: OperatorAct, scope: str, person: tuple[str, str, str], arguments: dict[str, Any]
) -> Asked:
    """Return an act of a person (who, why, key). Raises BadOrder for one that is empty, too long or no text."""
    operator, why, key = person
    check_person(operator, why, key)
    return Asked(act, scope, operator, why, key, canonical(arguments))


def halt_scope(symbol: str | None, strategy: str | None) -> str:
    """Return what a halt concerns. Raises UsageError for no symbol, BadOrder for both or for no name."""
    if symbol is not None and strategy is not None:
        raise BadOrder("a symbol or a strategy, not both: give the command twice to halt both")
    if symbol is not None:
        return SYMBOL + check_symbol(symbol)
    if strategy is None:
        return EVERYTHING
    if not strategy.strip() or not strategy.isprintable() or len(strategy) > NAME_LENGTH_MAX:
        raise BadOrder(f"a strategy has a name of 1 to {NAME_LENGTH_MAX} characters")
    return STRATEGY + strategy.strip()


def read_scope(text: str) -> str:
    """Return a scope as an act records it: ``everything``, ``symbol:AAPL`` or ``strategy:Name``.

    Raises UsageError for no symbol, BadOrder for what is no scope.
    """
    if text == EVERYTHING:
        return EVERYTHING
    if text.startswith(SYMBOL):
        return halt_scope(text.removeprefix(SYMBOL), None)
    if text.startswith(STRATEGY):
        return halt_scope(None, text.removeprefix(STRATEGY))
    raise BadOrder(
        f"a scope is {EVERYTHING}, {SYMBOL}AAPL or {STRATEGY}NAME, not {text[:NAME_LENGTH_MAX]!r}"
    )


def replacement(quantity: str | None, limit_price: str | None) -> Replacement:
    """Return a change as typed. Raises BadOrder for none, or for numbers the broker can't take."""
    if quantity is None and limit_price is None:
        raise BadOrder("nothing to replace: give a size, a limit price, or both (--qty, --limit)")
    shares = None if quantity is None else read_shares(quantity)
    if shares is not None and shares % 1:
        raise BadOrder(f"the broker replaces whole shares only, not {quantity}")
    return Replacement(shares, None if limit_price is None else read_limit(limit_price))


def resolution(
    fate: str, quantity: str | None, price: str | None, broker_order_id: str | None
) -> Resolution:
    """Return a settlement as typed. Raises BadOrder when its parts don't fit together."""
    if fate not in set(Fate):
        raise BadOrder(f"an order ended as one of {', '.join(Fate)}, not {fate[:20]!r}")
    if (quantity is None) is not (price is None):
        raise BadOrder("shares and price go together: give both (--qty and --price), or none")
    if quantity is None and fate == Fate.FILLED:
        raise BadOrder(
            "a filled order needs shares and price (--qty and --price): how many, at which average"
        )
    if quantity is not None and fate in (Fate.NOT_SENT, Fate.REJECTED):
        raise BadOrder(f"an order that was {fate} filled no share: leave shares and price out")
    if broker_order_id is not None and not 0 < len(broker_order_id) <= NAME_LENGTH_MAX:
        raise BadOrder(f"the broker's id has 1 to {NAME_LENGTH_MAX} characters")
    if broker_order_id is not None and fate == Fate.NOT_SENT:
        raise BadOrder("an order that was not sent has no id at the broker")
    return Resolution(
        Fate(fate),
        Decimal(0) if quantity is None else read_shares(quantity),
        None if price is None else _price(price),
        broker_order_id,
    )


def replacement_arguments(wanted: Replacement) -> dict[str, Any]:
    """Return a replacement as an act's arguments."""
    return {
        "quantity": None if wanted.quantity is None else plain(wanted.quantity),
        "limit_price": None if wanted.limit_price is None else plain(wanted.limit_price),
    }


def resolution_arguments(told: Resolution) -> dict[str, Any]:
    """Return a resolution as an act's arguments."""
    return {
        "outcome": told.fate.value,
        "quantity": plain(told.quantity) if told.quantity else None,
        "price": None if told.price is None else plain(told.price),
        "broker_order_id": told.broker_order_id,
    }


def read_replacement(act: OperatorActed) -> Replacement:
    """Return what a recorded act wants an order to become. Raises BadOrder with what is wrong with it."""
    told = _texts(act, "quantity", "limit_price")
    return replacement(told["quantity"], told["limit_price"])


def read_resolution(act: OperatorActed) -> Resolution:
    """Return what a recorded act says became of an order. Raises BadOrder with what is wrong with it."""
    told = _texts(act, "outcome", "quantity", "price", "broker_order_id")
    return resolution(
        told["outcome"] or "", told["quantity"], told["price"], told["broker_order_id"]
    )


def cancels_open(act: OperatorActed) -> bool:
    """Tell whether a halt also asks for the cancellation of what is open; arguments that can't be read don't."""
    try:
        content = json.loads(act.arguments)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("cancel_open") is True


def canonical(content: dict[str, Any]) -> str:
    """Return arguments as canonical JSON."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _price(text: str) -> Decimal:
    """Return an average price: of several fills it has more decimals than a limit may have."""
    try:
        return read_shares(text)
    except BadOrder as error:
        raise BadOrder(f"the price: {error}") from error


def _texts(act: OperatorActed, *names: str) -> dict[str, str | None]:
    try:
        content = json.loads(act.arguments)
    except (ValueError, RecursionError) as error:
        raise BadOrder(f"the arguments are no JSON: {str(error)[:80]}") from error
    if not isinstance(content, dict) or content.keys() != set(names):
        raise BadOrder(
            f"the arguments must be an object of {', '.join(names)}, not {act.arguments[:80]!r}"
        )
    for name, value in content.items():
        if value is not None and not isinstance(value, str):
            raise BadOrder(f"{name} must be text, not {str(value)[:40]}")
    return content
