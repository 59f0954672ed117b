"""What is decided in one round of the executor's campaign: a function of its seed, decision ids included.

Several decisions over a few symbols, most of them more than once; buys and sells, market and limit, fractions; some
that the controls block, some that the broker refuses; an account whose cash and limits some rounds exhaust.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from tests.integration.executor.harness import decision_made
from tradetrail.events.generated import DecisionMade, Side
from tradetrail.settings import SymbolGroup

# The small world's fourth day: shortly after its open, after its close, and after the open of the day that follows.
IN_SESSION = "2020-08-27T13:31:00+00:00"
AFTER_CLOSE = "2020-08-27T20:05:00+00:00"
NEXT_SESSION = "2020-08-28T13:31:00+00:00"
# What a share costs all that day until its close; what it costs at its lowest and at its highest.
PRICES = {"ACME": ("99", "97", "101"), "SPLT": ("406", "400", "412"), "GAPS": ("100", "99", "101")}
# Known to the broker, but not to be had that day; unknown to it.
REFUSED = {"HOLE": "50", "ZZZZ": "10"}
HELD = {"ACME": (60, 90), "SPLT": (12, 380), "GAPS": (30, 95)}
GROUPS = (SymbolGroup(name="default", patterns=("*",), partitions=2),)

_DECISIONS = (7, 11)
_CASH_USD = ("100000", "100000", "4000")
_DAILY_NOTIONAL_USD = ("200000", "200000", "5000")
_DAILY_COUNT = ("500", "500", "6")
POSITION_USD_MAX = "12000"
# All of one round, so that the same order twice is a duplicate however slow the machine is.
_DUPLICATE_WINDOW_S = "3600"


@dataclass(frozen=True, slots=True)
class Script:
    """A round's decisions in the order of the log, its account, and the executors' settings (without prefix)."""

    decisions: Sequence[DecisionMade]
    cash_usd: str
    settings: Mapping[str, str]

    def account(self) -> dict[str, object]:
        """Return the account as the simulated broker is told it."""
        held = {
            symbol: {"qty": str(qty), "avg_entry_price": str(price)}
            for symbol, (qty, price) in HELD.items()
        }
        return {"cash": self.cash_usd, "positions": held}


def script(seed: str) -> Script:
    """Return what a round decides."""
    chance = Random(seed)
    settings = {
        "LOOKUP_EVERY_S": "0.1",
        "NOT_FOUND_FOR_S": "0.8",
        "POLL_EVERY_S": "0.5",
        "REQUEST_TOTAL_S": "3",
        "DAILY_NOTIONAL_USD_MAX": chance.choice(_DAILY_NOTIONAL_USD),
        "DAILY_ORDER_COUNT_MAX": chance.choice(_DAILY_COUNT),
        "POSITION_USD_MAX": POSITION_USD_MAX,
        "DUPLICATE_WINDOW_S": _DUPLICATE_WINDOW_S,
    }
    decisions: list[DecisionMade] = []
    for number in range(chance.randint(*_DECISIONS)):
        decisions.append(_decided(chance, f"{seed}:{number}"))
    # One of them once more: a duplicate, unless the first was blocked.
    again = chance.choice(decisions)
    decisions.append(_again(again, f"{seed}:again"))
    return Script(decisions, chance.choice(_CASH_USD), settings)


def _decided(chance: Random, name: str) -> DecisionMade:
    strength = str(chance.randint(1, 10))
    if chance.random() < 0.1:
        symbol, price = chance.choice(sorted(REFUSED.items()))
        return decision_made(name, symbol, price=price, strength=strength, at=IN_SESSION)
    # One symbol more often than the others: within a symbol there is an order to keep.
    symbol = chance.choice(("ACME", "ACME", "ACME", "SPLT", "GAPS"))
    now, low, high = PRICES[symbol]
    side = chance.choice((Side.BUY, Side.BUY, Side.SELL))
    quantity = chance.choice((str(chance.randint(1, 12)), f"{chance.randint(1, 9)}.25"))
    is_buy = side is Side.BUY
    limit = chance.choice(
        (
            None,
            None,
            None,
            # At once, in the day's range, never.
            high if is_buy else low,
            low if is_buy else high,
            str(Decimal(now) * (Decimal("0.95") if is_buy else Decimal("1.05"))),
        )
    )
    return decision_made(
        name,
        symbol,
        side=side,
        quantity=quantity,
        strength=strength,
        price=now,
        at=IN_SESSION,
        limit_price=limit,
    )


def _again(decision: DecisionMade, name: str) -> DecisionMade:
    market = decision.rationale.market_context
    return decision_made(
        name,
        decision.symbol or "",
        side=decision.side,
        quantity=str(decision.quantity),
        price=str(market.current_price if market else 1),
        at=IN_SESSION,
        limit_price=None if decision.limit_price is None else str(decision.limit_price),
    )
