"""The edge to Alpaca's market data: the last price of many symbols at once. One thread only.

A symbol the vendor does not know is missing in its answer. One that it takes for no symbol at all has the whole request
refused: such a one is found by halves, so that it spoils no other's.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from services.executor.broker.guarded_http import Exchange, GuardedSession
from services.executor.broker.outcomes import Away, instant
from services.executor.controls.question import LastPrice
from services.executor.settings import ExecutorSettings
from tradetrail.alpaca_settings import AlpacaSettings

with warnings.catch_warnings():
    # The library imports what its own dependencies call deprecated; nothing of ours.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data.historical import StockHistoricalDataClient

# One request's symbols: far more than a batch has, and its URL fits any server.
SYMBOLS_MAX = 100
_PATH = "/stocks/trades/latest"
_SPOILED = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for last prices: which symbols were asked for, and what came of it."""

    symbols: tuple[str, ...]
    call: Exchange


@dataclass(frozen=True, slots=True)
class LastPrices:
    """The last prices by symbol, those without one left out, and the requests that told them."""

    prices: dict[str, LastPrice]
    asked: tuple[Asked, ...]


class Prices:
    """Reads last trades through alpaca-py: the feed is the vendor's default for the keys, as for the decider."""

    def __init__(self, alpaca: AlpacaSettings, settings: ExecutorSettings) -> None:
        """Prepare the client; nothing is asked yet."""
        self._session = GuardedSession(settings.connect_timeout_s, settings.request_total_s)
        client = StockHistoricalDataClient(
            alpaca.key_id.get_secret_value() or "unset",
            alpaca.secret_key.get_secret_value() or "unset",
            raw_data=True,
            url_override=alpaca.data_url.rstrip("/"),
        )
        client._session = self._session
        client._retry = 0
        client._retry_codes = []
        self._client = client

    def read(self, symbols: Sequence[str]) -> LastPrices | Away:
        """Return the last price of each symbol that has one; Away when the market data doesn't answer."""
        ordered = sorted(set(symbols))
        left = [tuple(ordered[at : at + SYMBOLS_MAX]) for at in range(0, len(ordered), SYMBOLS_MAX)]
        prices: dict[str, LastPrice] = {}
        asked: list[Asked] = []
        # Each part is smaller than what it came from, so that this ends.
        while left:
            part = left.pop()
            call = self._ask(part)
            asked.append(Asked(part, call))
            if call.status_code in _SPOILED and _is_about(part, call):
                middle = len(part) // 2
                left += [half for half in (part[:middle], part[middle:]) if middle and half]
                continue
            if call.status_code is None or call.status_code >= 300:
                return Away(_reason(call), call)
            try:
                prices |= _parse(call.body or b"")
            except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation) as error:
                return Away(f"the market data can't be read: {error!r}", call)
        return LastPrices(prices, tuple(asked))

    def cut(self) -> None:
        """End what is under way; for other threads."""
        self._session.cut()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _ask(self, symbols: tuple[str, ...]) -> Exchange:
        query = {"symbols": ",".join(symbols)}
        return self._session.ask(lambda: self._client.get(_PATH, query), APIError)


def _is_about(symbols: tuple[str, ...], call: Exchange) -> bool:
    text = (call.body or b"").decode("utf-8", "replace")
    return "symbol" in text.casefold() or any(symbol in text for symbol in symbols)


def _reason(call: Exchange) -> str:
    if call.status_code is None:
        return f"market data: {call.error or 'no answer'}"
    words = (call.body or b"").decode("utf-8", "replace")[:300]
    return f"market data: HTTP {call.status_code}: {words}"


def _parse(body: bytes) -> dict[str, LastPrice]:
    trades: dict[str, Any] = json.loads(body, parse_float=Decimal)["trades"] or {}
    prices = {}
    for symbol, trade in trades.items():
        price, at = Decimal(trade["p"]), instant(trade["t"])
        if price > 0 and at is not None:
            prices[symbol] = LastPrice(price, at)
    return prices
