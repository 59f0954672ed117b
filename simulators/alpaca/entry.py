"""Reading the body of an order: form only, no look at the account or the market.

Raises Refused with the broker's codes. Numbers may be JSON numbers (the SDK sends them) or strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from simulators.alpaca import refusals
from simulators.alpaca.amounts import QTY_STEP, is_whole, plain, read
from simulators.alpaca.orders import OrderRequest

CLIENT_ORDER_ID_LENGTH_MAX = 128
TYPES = ("market", "limit", "stop", "stop_limit")
TIMES_IN_FORCE = ("day", "gtc", "opg", "cls", "ioc", "fok")
ORDER_CLASSES = ("", "simple")
_CENT = Decimal("0.01")
_SUB_CENT = Decimal("0.0001")


def read_order(body: Mapping[str, Any]) -> OrderRequest:
    """Return the order a POST body asks for."""
    symbol = _text(body, "symbol")
    if not symbol:
        raise refusals.invalid("symbol is required")
    order_type = _one_of(body, "type", TYPES)
    qty, notional = _positive(body, "qty"), _positive(body, "notional")
    if qty is None and notional is None:
        raise refusals.invalid("qty or notional is required")
    if qty is not None and notional is not None:
        raise refusals.invalid("only one of qty or notional is accepted")
    request = OrderRequest(
        client_order_id=read_client_order_id(body),
        symbol=symbol,
        side=_one_of(body, "side", ("buy", "sell")),
        type=order_type,
        time_in_force=_one_of(body, "time_in_force", TIMES_IN_FORCE),
        qty=qty,
        notional=notional,
        limit_price=_positive(body, "limit_price"),
        stop_price=_positive(body, "stop_price"),
        extended_hours=body.get("extended_hours") is True,
        order_class=_one_of({"order_class": "", **body}, "order_class", ORDER_CLASSES),
        position_intent=_text(body, "position_intent") or None,
    )
    _check_prices(request)
    _check_fractions(request)
    _check_extended_hours(request)
    return request


def read_client_order_id(body: Mapping[str, Any]) -> str | None:
    """Return the client_order_id of a body, or None when the client left it out."""
    text = _text(body, "client_order_id")
    if len(text) > CLIENT_ORDER_ID_LENGTH_MAX:
        raise refusals.invalid(
            f"client_order_id must be no more than {CLIENT_ORDER_ID_LENGTH_MAX} characters"
        )
    return text or None


def read_replacement(order: OrderRequest, body: Mapping[str, Any], qty: Decimal) -> OrderRequest:
    """Return ``order`` changed by a PATCH body; ``qty`` holds where the body names none."""
    if "qty" in body and order.notional is not None:
        raise refusals.unacceptable("unable to replace qty of a notional order")
    wanted = _positive(body, "qty")
    if wanted is not None and not is_whole(wanted):
        raise refusals.unacceptable("qty must be an integer when replacing an order")
    changed = OrderRequest(
        client_order_id=read_client_order_id(body),
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=_one_of(
            {"time_in_force": order.time_in_force, **body}, "time_in_force", TIMES_IN_FORCE
        ),
        qty=None if order.notional is not None else wanted or qty,
        notional=order.notional,
        limit_price=_positive(body, "limit_price") or order.limit_price,
        stop_price=_positive(body, "stop_price") or order.stop_price,
        extended_hours=order.extended_hours,
        order_class=order.order_class,
        position_intent=order.position_intent,
    )
    _check_prices(changed)
    _check_fractions(changed)
    return changed


def _check_prices(request: OrderRequest) -> None:
    for name, price, is_used in (
        ("limit_price", request.limit_price, request.type in ("limit", "stop_limit")),
        ("stop_price", request.stop_price, request.type in ("stop", "stop_limit")),
    ):
        if is_used and price is None:
            raise refusals.invalid(f"{request.type} orders require {name}")
        if price is None:
            continue
        if not is_used:
            raise refusals.invalid(f"{request.type} orders must not have {name}")
        # Source: Regulation NMS rule 612: a cent from one dollar up, a hundredth of a cent below.
        step = _CENT if price >= 1 else _SUB_CENT
        if price % step:
            raise refusals.unacceptable(
                f"invalid {name} {plain(price)}. "
                "sub-penny increment does not fulfill minimum pricing criteria"
            )


def _check_fractions(request: OrderRequest) -> None:
    if request.qty is not None and is_whole(request.qty):
        return
    if request.qty is not None and request.qty % QTY_STEP:
        raise refusals.unacceptable("qty must be limited to 9 decimal places")
    if request.notional is not None and request.notional % _CENT:
        raise refusals.unacceptable("notional value must be limited to 2 decimal places")
    if request.type not in ("market", "limit"):
        raise refusals.unacceptable("fractional orders must be market or limit orders")
    if request.notional is not None and request.type != "market":
        raise refusals.unacceptable("notional orders must be market orders")
    if request.time_in_force != "day":
        raise refusals.unacceptable("fractional orders must be DAY orders")


def _check_extended_hours(request: OrderRequest) -> None:
    if request.extended_hours and (
        request.type != "limit" or request.time_in_force not in ("day", "gtc")
    ):
        raise refusals.unacceptable("extended hours order must be DAY or GTC limit orders")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise refusals.invalid(f"{name} must be a string")
    return value


def _one_of(body: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = "" if body.get(name) is None else _text(body, name)
    if value in known:
        return value
    if not value:
        raise refusals.invalid(f"{name} is required")
    raise refusals.invalid(f"invalid {name}: {value}")


def _positive(body: Mapping[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        amount = read(value)
    except ValueError as error:
        raise refusals.invalid(f"invalid {name}: {value}") from error
    if amount <= 0:
        raise refusals.invalid(f"{name} must be > 0")
    return amount
