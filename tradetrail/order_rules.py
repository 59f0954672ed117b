"""The broker's rules for the numbers of an order. Pure.

Source: Alpaca takes fractional quantities for day orders only, with up to nine decimals, for fractionable assets;
prices from 1 USD on have two decimals, below four.
"""

from __future__ import annotations

from decimal import Decimal

QUANTITY_INCREMENT = Decimal("1e-9")
_CENT, _SUB_CENT = Decimal("0.01"), Decimal("0.0001")


def price_increment(price: Decimal) -> Decimal:
    """Return the least step of a limit price near ``price``, USD a share."""
    return _CENT if price >= 1 else _SUB_CENT
