"""The market data API that alpaca-py's StockHistoricalDataClient reads: daily bars and the latest price.

Prices are JSON numbers here, as at the vendor. The latest bar, trade and quote all tell one price: the open while
the session runs, the close after it. Trade counts and volume-weighted prices are unknown, so null.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.alpaca import refusals
from simulators.alpaca.answers import answer
from simulators.alpaca.instants import parse, rfc3339, to_datetime, to_ns
from simulators.alpaca.market import Market, Quote
from simulators.alpaca.ports import Bar
from simulators.alpaca.routing import Endpoint, routes
from tradetrail import sessions

BAR_LIMIT_DEFAULT = 1000
BAR_LIMIT_MAX = 10_000
DAILY_TIMEFRAMES = ("1Day", "1D", "Day")
ADJUSTMENTS = ("raw", "split", "dividend", "spin-off", "all")
MIDNIGHT = time(0, 0)
_DAY = timedelta(days=1)


class MarketDataApi:
    """The endpoints, over the market as known at the simulated instant."""

    def __init__(self, market: Market) -> None:
        """Serve ``market``."""
        self._market = market

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/bars", self.get_bars),
            ("GET", "/bars/latest", self.get_latest_bars),
            ("GET", "/trades/latest", self.get_latest_trades),
            ("GET", "/quotes/latest", self.get_latest_quotes),
            ("GET", "/snapshots", self.get_snapshots),
            ("GET", "/{symbol}/bars", self.get_bars_of),
            ("GET", "/{symbol}/bars/latest", self.get_latest_bar),
            ("GET", "/{symbol}/trades/latest", self.get_latest_trade),
            ("GET", "/{symbol}/quotes/latest", self.get_latest_quote),
            ("GET", "/{symbol}/snapshot", self.get_snapshot),
        ]
        return routes("/v2/stocks", table)

    async def get_bars(self, request: Request) -> Response:
        """List daily bars of several symbols, by symbol, then by time."""
        bars, token = self._page(_symbols(request), request.query_params)
        return answer({"bars": bars, "next_page_token": token})

    async def get_bars_of(self, symbol: str, request: Request) -> Response:
        """List daily bars of one symbol."""
        bars, token = self._page([symbol], request.query_params)
        return answer({"symbol": symbol, "bars": bars.get(symbol, []), "next_page_token": token})

    async def get_latest_bars(self, request: Request) -> Response:
        """Tell the latest minute's bar of several symbols."""
        return answer({"bars": self._of_each(request, _minute_bar)})

    async def get_latest_trades(self, request: Request) -> Response:
        """Tell the latest trade of several symbols."""
        return answer({"trades": self._of_each(request, _trade)})

    async def get_latest_quotes(self, request: Request) -> Response:
        """Tell the latest quote of several symbols."""
        return answer({"quotes": self._of_each(request, _quote)})

    async def get_latest_bar(self, symbol: str) -> Response:
        """Tell the latest minute's bar of one symbol."""
        return answer({"symbol": symbol, "bar": _minute_bar(self._known(symbol))})

    async def get_latest_trade(self, symbol: str) -> Response:
        """Tell the latest trade of one symbol."""
        return answer({"symbol": symbol, "trade": _trade(self._known(symbol))})

    async def get_latest_quote(self, symbol: str) -> Response:
        """Tell the latest quote of one symbol."""
        return answer({"symbol": symbol, "quote": _quote(self._known(symbol))})

    async def get_snapshots(self, request: Request) -> Response:
        """Tell latest trade, quote and bars of several symbols."""
        found = {s: self._snapshot(s) for s in _symbols(request)}
        return answer({symbol: snapshot for symbol, snapshot in found.items() if snapshot})

    async def get_snapshot(self, symbol: str) -> Response:
        """Tell latest trade, quote and bars of one symbol."""
        self._known(symbol)
        return answer({"symbol": symbol, **self._snapshot(symbol)})

    def _page(
        self, symbols: list[str], query: Mapping[str, str]
    ) -> tuple[dict[str, list[dict[str, Any]]], str | None]:
        if query.get("timeframe") not in DAILY_TIMEFRAMES:
            raise refusals.Refused(400, None, f"invalid timeframe: {query.get('timeframe')}")
        adjustment = query.get("adjustment") or "raw"
        if adjustment not in ADJUSTMENTS:
            raise refusals.Refused(400, None, f"invalid adjustment: {adjustment}")
        start, end = self._span(query)
        limit = _limit(query)
        is_descending = query.get("sort") == "desc"
        seen = _read_token(query.get("page_token"))
        page: dict[str, list[dict[str, Any]]] = {}
        left = limit
        for symbol in sorted(set(symbols)):
            if seen is not None and symbol < seen[0]:
                continue
            bars = self._market.finished_bars(symbol, start, end)
            if adjustment in ("split", "all"):
                bars_json = self._split_adjusted(symbol, bars)
            else:
                bars_json = [_daily_bar(bar) for bar in bars]
            if is_descending:
                bars_json.reverse()
            if seen is not None and symbol == seen[0]:
                bars_json = [b for b in bars_json if (b["t"] < seen[1]) == is_descending]
                bars_json = [b for b in bars_json if b["t"] != seen[1]]
            if not bars_json:
                continue
            if left == 0:
                return page, _token(page)
            page[symbol] = bars_json[:left]
            left -= len(page[symbol])
            if len(bars_json) > len(page[symbol]):
                return page, _token(page)
        return page, None

    def _split_adjusted(self, symbol: str, bars: Sequence[Bar]) -> list[dict[str, Any]]:
        """Return bars as if the splits known by now had always been; later ones are not known."""
        if not bars:
            return []
        factor = Decimal(1)
        known = self._market.finished_bars(symbol, bars[-1].session_on + _DAY, date.max)
        for bar in known:
            factor *= bar.split
        told = []
        for bar in reversed(bars):
            told.append(_daily_bar(bar, factor))
            factor *= bar.split
        return told[::-1]

    def _span(self, query: Mapping[str, str]) -> tuple[date, date]:
        """Return the first and last session whose bar's instant (midnight New York) is asked for."""
        today = sessions.new_york_date(to_datetime(self._market.now_ns))
        try:
            start = query.get("start")
            end = query.get("end")
            first = _day_from(parse(start)) if start else today
            last = _day_until(parse(end)) if end else today
        except (ValueError, OverflowError) as error:
            raise refusals.Refused(400, None, f"invalid start or end: {error}") from error
        return first, last

    def _of_each(self, request: Request, tell: Any) -> dict[str, Any]:
        quotes = {symbol: self._market.quote(symbol) for symbol in _symbols(request)}
        return {symbol: tell(quote) for symbol, quote in quotes.items() if quote is not None}

    def _known(self, symbol: str) -> Quote:
        quote = self._market.quote(symbol)
        if quote is None:
            raise refusals.Refused(404, None, f"no price found for {symbol}")
        return quote

    def _snapshot(self, symbol: str) -> dict[str, Any]:
        quote = self._market.quote(symbol)
        if quote is None:
            return {}
        is_running = quote.bar.session_on == self._market.open_session
        before = self._market.previous_bar(symbol, quote.bar.session_on)
        return {
            "latestTrade": _trade(quote),
            "latestQuote": _quote(quote),
            "minuteBar": _minute_bar(quote),
            "dailyBar": _begun_bar(quote) if is_running else _daily_bar(quote.bar),
            "prevDailyBar": None if before is None else _daily_bar(before),
        }


def _symbols(request: Request) -> list[str]:
    symbols = [s.strip() for s in request.query_params.get("symbols", "").split(",") if s.strip()]
    if not symbols:
        raise refusals.Refused(400, None, "symbols is required")
    return symbols


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit") or str(BAR_LIMIT_DEFAULT)
    if not text.isdecimal() or not 1 <= int(text) <= BAR_LIMIT_MAX:
        raise refusals.Refused(400, None, f"limit must be between 1 and {BAR_LIMIT_MAX}")
    return int(text)


def _token(page: dict[str, list[dict[str, Any]]]) -> str:
    symbol = list(page)[-1]
    return base64.urlsafe_b64encode(f"{symbol}|D|{page[symbol][-1]['t']}".encode()).decode()


def _read_token(token: str | None) -> tuple[str, str] | None:
    if not token:
        return None
    try:
        symbol, _, at = base64.urlsafe_b64decode(token).decode().split("|")
    except ValueError as error:
        raise refusals.Refused(400, None, "invalid page_token") from error
    return symbol, at


def _day_from(at_ns: int) -> date:
    """Return the first day whose midnight in New York is not before an instant."""
    day = sessions.new_york_date(to_datetime(at_ns))
    return day if to_ns(sessions.new_york(day, MIDNIGHT)) >= at_ns else day + _DAY


def _day_until(at_ns: int) -> date:
    """Return the last day whose midnight in New York is not after an instant."""
    return sessions.new_york_date(to_datetime(at_ns))


def _daily_bar(bar: Bar, factor: Decimal = Decimal(1)) -> dict[str, Any]:
    return {
        "t": f"{sessions.new_york(bar.session_on, MIDNIGHT):%Y-%m-%dT%H:%M:%SZ}",
        "o": float(bar.open / factor),
        "h": float(bar.high / factor),
        "l": float(bar.low / factor),
        "c": float(bar.close / factor),
        "v": int(bar.volume * factor),
        "n": None,
        "vw": None,
    }


def _begun_bar(quote: Quote) -> dict[str, Any]:
    """Return the running session's bar as far as it is known: its open."""
    price = float(quote.price)
    begun = _daily_bar(quote.bar)
    return begun | {"o": price, "h": price, "l": price, "c": price, "v": 0}


def _minute_bar(quote: Quote) -> dict[str, Any]:
    price = float(quote.price)
    told = {"t": rfc3339(quote.at_ns), "o": price, "h": price, "l": price, "c": price}
    return {**told, "v": 0, "n": None, "vw": None}


def _trade(quote: Quote) -> dict[str, Any]:
    at = rfc3339(quote.at_ns)
    return {"t": at, "x": "V", "p": float(quote.price), "s": 100, "c": ["@"], "i": 1, "z": "C"}


def _quote(quote: Quote) -> dict[str, Any]:
    price = float(quote.price)
    told = {"t": rfc3339(quote.at_ns), "ax": "V", "ap": price, "as": 1, "bx": "V", "bp": price}
    return {**told, "bs": 1, "c": ["R"], "z": "C"}
