"""Decimal amounts in and out of JSON: strings out, strings or numbers in."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

# Alpaca keeps quantities to nine decimals.
QTY_STEP = Decimal("0.000000001")


def plain(amount: Decimal) -> str:
    """Write an amount without exponent and without trailing zeros."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def rounded(amount: Decimal) -> str:
    """Write a quotient (an average price, a share of profit) with at most nine decimals."""
    return plain(amount.quantize(QTY_STEP))


def maybe(amount: Decimal | None) -> str | None:
    """Write an amount that may be absent."""
    return None if amount is None else plain(amount)


def read(value: Any) -> Decimal:
    """Read a JSON string or number exactly. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"not a number: {value!r}")
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        raise ValueError(f"out of range: {value!r}")
    return amount


def is_whole(amount: Decimal) -> bool:
    """Tell whether an amount has no fraction."""
    return amount == amount.to_integral_value()


def load_json(body: bytes) -> Any:
    """Parse JSON keeping numbers exact. Raises ValueError when it is none."""
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
