"""The table of the controls: which there are, in which order, and what limits them. ``docs/executor.md`` shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.executor.controls.account_limits import (
    buying_power,
    daily_count,
    daily_notional,
    position_limit,
)
from services.executor.controls.lists import halt, restricted
from services.executor.controls.order_limits import order_notional, order_size
from services.executor.controls.price import price_collar
from services.executor.controls.question import Question
from services.executor.controls.result import ORDERS, PERCENT, SECONDS, SHARES, USD, YES_NO, Result
from services.executor.controls.timing import duplicate, market_hours, order_rate, stale
from tradetrail.events.generated import Control


@dataclass(frozen=True, slots=True)
class Rule:
    """One control; ``settings`` are the fields of ExecutorSettings that limit it, empty where an operator does."""

    control: Control
    check: Callable[[Question], Result]
    what: str
    settings: tuple[str, ...]
    unit: str
    at_the_limit: str


RULES: tuple[Rule, ...] = (
    Rule(
        Control.HALT,
        halt,
        "No halt of everything, of the symbol or of the strategy is in force.",
        (),
        YES_NO,
        "nothing passes under a halt",
    ),
    Rule(
        Control.RESTRICTED_LIST,
        restricted,
        "The symbol is not on the restricted list.",
        ("restricted_symbols",),
        YES_NO,
        "a listed symbol never passes",
    ),
    Rule(
        Control.MARKET_HOURS,
        market_hours,
        "A session is open, or orders queue at the broker.",
        ("outside_hours",),
        YES_NO,
        "the instant of the open passes, that of the close does not",
    ),
    Rule(
        Control.STALE_DECISION,
        stale,
        "Age of the decision, in open market.",
        ("stale_after_open_s",),
        SECONDS,
        "an age equal to the limit passes",
    ),
    Rule(
        Control.DUPLICATE_WINDOW,
        duplicate,
        "Time since the same strategy's last order of equal symbol, side and quantity.",
        ("duplicate_window_s",),
        SECONDS,
        "as far apart as the window passes",
    ),
    Rule(
        Control.ORDER_SIZE,
        order_size,
        "Shares of the order.",
        ("order_size_shares_max",),
        SHARES,
        "a size equal to the limit passes",
    ),
    Rule(
        Control.PRICE_COLLAR,
        price_collar,
        "A limit price beyond the last price on the harmful side (a buy's above, a sell's below); a market order: how "
        "far the last price moved against it since its decision. And the last price's age, in open market.",
        ("price_collar_limit_percent", "price_collar_market_percent", "price_age_open_s_max"),
        f"{PERCENT}, {PERCENT}, {SECONDS}",
        "exactly at the collar and at the age passes; no last price does not",
    ),
    Rule(
        Control.ORDER_NOTIONAL,
        order_notional,
        "Value of the order at its limit price, else at the last price; a sell at the higher of both.",
        ("order_notional_usd_max",),
        USD,
        "a value equal to the limit passes",
    ),
    Rule(
        Control.ORDER_RATE,
        order_rate,
        "Orders of the account begun within a rolling window, this one included. Against a runaway: it blocks.",
        ("order_rate_max", "order_rate_window_s"),
        f"{ORDERS}, {SECONDS}",
        "a count equal to the limit passes; an order as old as the window is out of it",
    ),
    Rule(
        Control.DAILY_ORDER_COUNT,
        daily_count,
        "Orders of the New York day, this one included. An order that was never sent gives its place back.",
        ("daily_order_count_max",),
        ORDERS,
        "a count equal to the limit passes",
    ),
    Rule(
        Control.DAILY_NOTIONAL,
        daily_notional,
        "Value of the New York day's orders, this one included. What an ended order did not fill is given back.",
        ("daily_notional_usd_max",),
        USD,
        "a value equal to the limit passes",
    ),
    Rule(
        Control.POSITION_LIMIT,
        position_limit,
        "Value of the position after the order: held at the last price, what open buys may add, and this one. A sell: "
        "its shares and those of open sells against the shares held.",
        ("position_usd_max",),
        f"{USD}; a sell: {SHARES}",
        "a position equal to the limit passes, and a sell of all that is held",
    ),
    Rule(
        Control.BUYING_POWER,
        buying_power,
        "Value of a buy with its margin and of buys under way, against the broker's figure, which holds open orders.",
        ("buying_power_margin_percent",),
        USD,
        "a need equal to the buying power passes",
    ),
)
