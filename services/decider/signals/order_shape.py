"""The shape of a strategy's orders: market or limit, how long it stays good, whole or fractional shares. Pure.

The broker's own rules: ``tradetrail/order_rules.py``.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from tradetrail.events.generated import OrderType, Side, TimeInForce
from tradetrail.order_rules import QUANTITY_INCREMENT, price_increment

# The least a buy must be worth. Source: Alpaca, "cost basis must be >= minimal amount of order 1".
BUY_USD_MIN = Decimal(1)
_WHOLE = Decimal(1)


class OrderSettings(BaseSettings):
    """What the orders of a strategy look like; the settings of every strategy begin with these."""

    order_type: Literal["market", "limit"] = Field(
        default="market", description="Market or limit order."
    )
    limit_offset_fraction: Decimal = Field(
        default=Decimal("0.01"),
        ge=0,
        le=Decimal("0.5"),
        description="Limit orders: how far from the last close, as a part of it; above for a buy, below for a sell.",
    )
    time_in_force: Literal["day", "gtc"] = Field(
        default="day", description="How long an order stays good: day, or gtc (till cancelled)."
    )
    quantity: Literal["whole", "fractional"] = Field(
        default="whole", description="Whole shares, or up to nine decimals (day orders only)."
    )

    @model_validator(mode="after")
    def _fractions_are_day_orders(self) -> OrderSettings:
        if self.quantity == "fractional" and self.time_in_force != "day":
            raise ValueError(
                "QUANTITY=fractional needs TIME_IN_FORCE=day: the broker takes no other"
            )
        return self


def shares_of(shape: OrderSettings, shares: Decimal) -> Decimal:
    """Return a number of shares as it can be ordered, never more than asked."""
    grain = QUANTITY_INCREMENT if shape.quantity == "fractional" else _WHOLE
    return max(shares, Decimal(0)).quantize(grain, ROUND_FLOOR)


def limit_price_of(shape: OrderSettings, side: Side, close: Decimal) -> Decimal | None:
    """Return the limit price by the last close, USD a share; None for a market order.

    Rounded to the broker's increments to our advantage: a buy pays no more than the offset allows, a sell gets no less.
    """
    if shape.order_type == "market":
        return None
    is_buy = side == Side.BUY
    price = close * (1 + (shape.limit_offset_fraction if is_buy else -shape.limit_offset_fraction))
    grain = price_increment(price)
    return max(price.quantize(grain, ROUND_FLOOR if is_buy else ROUND_CEILING), grain)


def order_type_of(shape: OrderSettings) -> OrderType:
    """Return the order type as an event names it."""
    return OrderType(shape.order_type)


def time_in_force_of(shape: OrderSettings) -> TimeInForce:
    """Return how long an order stays good, as an event names it."""
    return TimeInForce(shape.time_in_force)
