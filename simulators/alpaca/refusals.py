"""Every refusal the broker gives: HTTP status, code and text as Alpaca's users have seen them.

Codes are the status times 100000 plus a detail. Bodies marked "inferred" are our guess of the wording.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulators.alpaca.amounts import plain


class Refused(Exception):
    """The broker says no; carries the HTTP status and the JSON body."""

    def __init__(self, status: int, code: int | None, message: str, **extras: Any) -> None:
        """Make the body from a code, a message and whatever else this refusal tells."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {} if code is None else {"code": code}
        self.body |= {"message": message, **extras}


def unauthorized() -> Refused:
    """Return the answer to wrong or missing keys."""
    return Refused(401, None, "unauthorized.")


def too_many_requests() -> Refused:
    """Return the answer past the rate limit."""
    return Refused(429, 42910000, "rate limit exceeded")


def malformed(detail: str = "request body format is invalid") -> Refused:
    """Return the answer to a body that is no JSON object (inferred)."""
    return Refused(400, 40010000, detail)


def invalid(message: str) -> Refused:
    """Return the answer to a field that is missing or out of range."""
    return Refused(422, 40010001, message)


def unacceptable(message: str) -> Refused:
    """Return the answer to an order whose fields are fine but which can't be taken."""
    return Refused(422, 42210000, message)


def forbidden(message: str, **extras: Any) -> Refused:
    """Return a refusal of the account's rights or means; the message tells which."""
    return Refused(403, 40310000, message, **extras)


def missing(message: str) -> Refused:
    """Return the answer for something that does not exist."""
    return Refused(404, 40410000, message)


def duplicate_client_order_id() -> Refused:
    """Return the answer to a client_order_id used before, whatever became of that order."""
    return invalid("client_order_id must be unique")


def insufficient_buying_power(buying_power: Decimal, cost_basis: Decimal) -> Refused:
    """Return the refusal of a buy the account can't pay; amounts in dollars."""
    return forbidden(
        "insufficient buying power",
        buying_power=plain(buying_power),
        cost_basis=plain(cost_basis),
    )


def insufficient_qty(
    symbol: str, *, requested: Decimal, existing: Decimal, held: Decimal, related: list[str]
) -> Refused:
    """Return the refusal of a sell above what is free to sell."""
    available = plain(existing - held)
    return forbidden(
        "insufficient qty available for order "
        f"(requested: {plain(requested)}, available: {available})",
        available=available,
        existing_qty=plain(existing),
        held_for_orders=plain(held),
        symbol=symbol,
        related_orders=related,
    )


def wash_trade(existing_order_id: str, existing_kind: str) -> Refused:
    """Return the refusal of an order that could trade against the account's own order."""
    return forbidden(
        "potential wash trade detected. use complex orders",
        existing_order_id=existing_order_id,
        reject_reason=f"opposite side {existing_kind} order exists",
    )
