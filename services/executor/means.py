"""What is asked before orders are checked: the account, its positions, and last prices. Read on a lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from services.executor.broker import Broker
from services.executor.controls import Account, LastPrice
from services.executor.guarded_http import Exchange
from services.executor.outcomes import Away, Missing, Told
from services.executor.reservations import Look
from tradetrail.events.generated import CallPurpose


@dataclass(frozen=True, slots=True)
class MeansCall:
    """One request: what it asked, for which symbols (None: the whole account), and what came of it."""

    name: str
    purpose: CallPurpose
    call: Exchange
    symbols: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What orders for some symbols may draw on, and the requests that told it, in order."""

    account: Account
    prices: Mapping[str, LastPrice]
    calls: tuple[MeansCall, ...]

    def calls_of(self, symbol: str) -> list[MeansCall]:
        """Return the requests that told what concerns ``symbol``."""
        return [each for each in self.calls if each.symbols is None or symbol in each.symbols]


def ask_means(broker: Broker, symbols: Sequence[str], look: Look) -> Means | Away:
    """Ask for all of it; Away for the first answer that is missing, and then orders wait.

    ``look`` must be taken from the book's reservations before this is begun.
    """
    calls: list[MeansCall] = []
    told = broker.account()
    if not isinstance(told, Told):
        return _away("there is no such account", told)
    calls.append(MeansCall("account", CallPurpose.PORTFOLIO_CONTEXT, told.call))
    positions: dict[str, Decimal] = {}
    try:
        buying_power = Decimal(told.value["buying_power"])
        for symbol in sorted(set(symbols)):
            position = broker.position(symbol)
            if isinstance(position, Away):
                return position
            if isinstance(position, Told):
                positions[symbol] = Decimal(position.value["qty"])
            purpose = CallPurpose.PORTFOLIO_CONTEXT
            calls.append(MeansCall("position", purpose, position.call, (symbol,)))
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        return _away(f"the account can't be read: {error!r}", told)
    last = broker.last_prices(symbols)
    if isinstance(last, Away):
        return last
    calls += [
        MeansCall(f"last price {number}", CallPurpose.MARKET_CONTEXT, each.call, each.symbols)
        for number, each in enumerate(last.asked, start=1)
    ]
    return Means(Account(buying_power, positions, look), last.prices, tuple(calls))


def _away(reason: str, told: Told | Missing | Away) -> Away:
    return told if isinstance(told, Away) else Away(reason, told.call)
