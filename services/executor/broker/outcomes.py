"""What the broker can answer, as values: four outcomes of an order, three of a question. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.executor.broker.guarded_http import Exchange


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """The broker's order as one answer told it; ``raw`` is that answer's text."""

    order_id: str
    client_order_id: str
    status: str
    filled_qty: Decimal
    filled_avg_price: Decimal | None
    updated_at: datetime | None
    submitted_at: datetime | None
    replaced_by: str | None
    raw: str


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: its shares and price (None where untold), and the cumulative quantity that identifies it."""

    broker_order_id: str
    cumulative_qty: Decimal
    qty: Decimal
    price: Decimal | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker has the order."""

    order: BrokerOrder
    call: Exchange


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker said no; ``message`` in its own words."""

    status_code: int
    message: str
    call: Exchange


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one byte of the order left this process: no connection, or a ticket that was too old."""

    reason: str
    call: Exchange
    is_brokers_fault: bool = True


@dataclass(frozen=True, slots=True)
class Unclear:
    """Whether the broker has the order isn't known."""

    reason: str
    call: Exchange


Outcome = Accepted | Refused | NotSent | Unclear


@dataclass(frozen=True, slots=True)
class Missing:
    """The broker says it has no such thing."""

    call: Exchange


@dataclass(frozen=True, slots=True)
class Away:
    """No usable answer to a question; asking again later is harmless."""

    reason: str
    call: Exchange


@dataclass(frozen=True, slots=True)
class Told:
    """A usable answer: its JSON with exact decimals."""

    value: Any
    call: Exchange


def instant(text: str | None) -> datetime | None:
    """Return a broker's time stamp, UTC, cut to microseconds; None when there is none to read."""
    if not text:
        return None
    whole, dot, rest = text.replace("Z", "+00:00").partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        whole += f".{rest[:digits][:6]:0<6}{rest[digits:]}"
    try:
        return datetime.fromisoformat(whole)
    except ValueError:
        return None
