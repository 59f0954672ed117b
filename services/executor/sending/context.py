"""The account and last prices, for a batch of orders: asked for side by side on lanes, then read as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial

from services.executor.broker.guarded_http import Exchange
from services.executor.broker.outcomes import Away, Missing, Told
from services.executor.broker.prices import SYMBOLS_MAX, LastPrices
from services.executor.broker.trading_api import Broker
from services.executor.controls import Account, LastPrice
from services.executor.recording.desk import Desk
from services.executor.state.reservations import Look
from tradetrail.events.generated import CallPurpose

Answer = Told | LastPrices | Missing | Away

_TOLD: dict[str, Callable[[Broker], Answer]] = {
    "account": Broker.account,
    "positions": Broker.positions,
}


@dataclass(slots=True)
class Context:
    """What was asked for, and what has come: prices of ``symbols``; ``look`` is from before it was asked."""

    symbols: tuple[str, ...]
    look: Look
    asked_at: float = field(default_factory=time.monotonic)
    begun: set[str] = field(default_factory=set)
    told: dict[str, Told] = field(default_factory=dict)
    last: LastPrices | None = None
    is_lost: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether every part has come."""
        return len(self.told) == len(_TOLD) and self.last is not None

    @property
    def age_s(self) -> float:
        """Return how long ago it was asked for, real seconds."""
        return time.monotonic() - self.asked_at

    def calls(self) -> list[tuple[str, CallPurpose, Exchange]]:
        """Return the requests by name, in order."""
        found = [(n, CallPurpose.PORTFOLIO_CONTEXT, self.told[n].call) for n in _TOLD]
        for number, asked in enumerate(self.last.asked if self.last else (), start=1):
            found.append((f"last prices {number}", CallPurpose.MARKET_CONTEXT, asked.call))
        return found

    def account(self) -> Account:
        """Return the account. Raises KeyError, TypeError, ValueError or ArithmeticError if that can't be read."""
        positions = {row["symbol"]: Decimal(row["qty"]) for row in self.told["positions"].value}
        power = Decimal(self.told["account"].value["buying_power"])
        return Account(power, positions, self.look)

    def prices(self) -> dict[str, LastPrice]:
        """Return the last prices by symbol, as far as there are any."""
        return self.last.prices if self.last else {}

    def requests(self) -> dict[str, Callable[[Broker], Answer]]:
        """Return what is to be asked for, by name."""
        symbols = self.symbols
        return {**_TOLD, "prices": lambda broker: broker.last_prices(symbols)}


def ask_all(broker: Broker, symbols: Sequence[str], look: Look) -> Context | Away:
    """Return a whole context, asked for part by part; Away for the first part that is missing. Runs on a lane.

    ``look`` must be taken from the book's reservations before this is begun.
    """
    context = Context(tuple(symbols), look)
    for name, request in context.requests().items():
        told = request(broker)
        if isinstance(told, LastPrices):
            context.last = told
        elif isinstance(told, Told):
            context.told[name] = told
        else:
            return told if isinstance(told, Away) else Away(f"it has no {name}", told.call)
    if (why := readable(context)) is not None:
        return Away(why, context.told["account"].call)
    return context


class Contexts:
    """Gathers one context at a time."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._open: Context | None = None

    def take(self, fresh_s: float) -> Context | None:
        """Return the context that has come, once; None while it is under way or when it is older than ``fresh_s``."""
        context = self._open
        if context is None or not (context.is_whole or context.is_lost):
            return None
        self._open = None
        return None if context.is_lost or context.age_s > fresh_s else context

    def gather(self, symbols: Sequence[str]) -> None:
        """Go on with the one under way, or begin one with the prices of ``symbols``."""
        context = self._open
        if context is None:
            look = self._desk.book.reserved.look()
            context = self._open = Context(tuple(symbols[:SYMBOLS_MAX]), look)
            self._desk.crash.passing("before_context")
        for name, request in context.requests().items():
            if name in context.begun or context.is_lost:
                continue
            if self._desk.lanes.ask(name, request, partial(self._came, context, name)):
                context.begun.add(name)

    @property
    def is_under_way(self) -> bool:
        """Return whether a context is being asked for."""
        return self._open is not None

    def _came(self, context: Context, name: str, told: Answer) -> None:
        if isinstance(told, LastPrices):
            context.last = told
            return
        if isinstance(told, Told):
            self._desk.pace.heard(told.call)
            context.told[name] = told
            return
        context.is_lost = True
        reason = told.reason if isinstance(told, Away) else f"it has no {name}"
        self._desk.pace.failed(reason, told.call, is_market_data=name == "prices")


def readable(context: Context) -> str | None:
    """Return why a context can't be read; None when it can."""
    try:
        context.account()
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        return f"the account can't be read: {error!r}"
    return None
