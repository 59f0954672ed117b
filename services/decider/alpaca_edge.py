"""The edge to Alpaca's market data and account: what a decision knows of the market and the portfolio.

Reads only. Every call is kept for the log, failed ones too.
"""

from __future__ import annotations

import json
import warnings
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

from services.decider.context import SESSIONS, Call, Context, ContextAway, DailyBar
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.errors import UsageError
from tradetrail.events.generated import CallPurpose
from tradetrail.recorded_http import RecordingSession
from tradetrail.sessions import new_york_date, session_close, session_on_or_before

with warnings.catch_warnings():
    # alpaca-py imports what its own dependencies call deprecated; nothing of ours.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data.historical import StockHistoricalDataClient
    from alpaca.data.requests import StockBarsRequest
    from alpaca.data.timeframe import TimeFrame
    from alpaca.trading.client import TradingClient

# Twenty-one sessions lie within 45 calendar days, holidays included.
BARS_LOOKBACK = timedelta(days=45)
_NOT_FOUND = 404
_UNPROCESSABLE = 422


class AlpacaContext:
    """Reads contexts through alpaca-py, with its retries off and our timeouts on."""

    def __init__(self, settings: AlpacaSettings) -> None:
        """Prepare the clients; nothing is asked yet. Raises UsageError without keys."""
        key, secret = settings.key_id.get_secret_value(), settings.secret_key.get_secret_value()
        if not key or not secret:
            raise UsageError(
                "no keys for Alpaca: set TRADETRAIL_ALPACA_KEY_ID and TRADETRAIL_ALPACA_SECRET_KEY"
            )
        self._session = RecordingSession()
        self._market = StockHistoricalDataClient(
            key, secret, raw_data=True, url_override=settings.data_url
        )
        self._trading = TradingClient(key, secret, raw_data=True, url_override=settings.url)
        for client in (self._market, self._trading):
            client._session = self._session
            client._retry = 0

    def read(self, symbol: str, now: datetime) -> Context:
        """Return the context of ``symbol`` as of ``now``; finished sessions only. Raises ContextAway."""
        self._session.drain()
        calls: list[Call] = []
        try:
            return self._read(symbol, now, calls)
        except (APIError, requests.RequestException) as error:
            why = f"Alpaca does not answer a context call as it should: {error}"
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            why = f"an answer of Alpaca lacks what a context needs: {error!r}"
        raise ContextAway(why, tuple(calls))

    def _read(self, symbol: str, now: datetime, calls: list[Call]) -> Context:
        bars = self._ask(calls, CallPurpose.MARKET_CONTEXT, lambda: self._bars(symbol, now))
        account = self._ask(calls, CallPurpose.PORTFOLIO_CONTEXT, self._trading.get_account) or {}
        position = self._ask(
            calls, CallPurpose.PORTFOLIO_CONTEXT, lambda: self._trading.get_open_position(symbol)
        )
        return Context(
            bars=_finished_bars(bars, symbol, now),
            existing_position=Decimal(position["qty"]) if position else Decimal(0),
            buying_power=Decimal(account["buying_power"]),
            portfolio_value=Decimal(account["portfolio_value"]),
            calls=tuple(calls),
        )

    def _bars(self, symbol: str, now: datetime) -> Any:
        return self._market.get_stock_bars(
            StockBarsRequest(
                symbol_or_symbols=symbol,
                timeframe=TimeFrame.Day,
                start=now - BARS_LOOKBACK,
                end=now,
            )
        )

    def _ask(self, calls: list[Call], purpose: CallPurpose, ask: Any) -> dict[str, Any] | None:
        """Return the last answer's JSON with exact decimals; None when the vendor does not know the thing."""
        try:
            ask()
        except APIError as error:
            if error.status_code not in (_NOT_FOUND, _UNPROCESSABLE):
                raise
            return None
        finally:
            calls.extend(Call(purpose, exchange) for exchange in self._session.drain())
        answer = json.loads(calls[-1].exchange.body or b"null", parse_float=Decimal)
        return dict(answer) if answer else None


def _finished_bars(
    answer: dict[str, Any] | None, symbol: str, now: datetime
) -> tuple[DailyBar, ...]:
    """Return the bars of sessions that are over: the vendor also tells the running one. A price of zero is none."""
    rows = ((answer or {}).get("bars") or {}).get(symbol) or []
    bars = [
        DailyBar(datetime.fromisoformat(row["t"]), Decimal(row["c"]), Decimal(row["v"]))
        for row in rows
    ]
    over = [bar for bar in bars if bar.close > 0 and _close_of(bar) <= now]
    return tuple(over[-(SESSIONS + 1) :])


def _close_of(bar: DailyBar) -> datetime:
    return session_close(session_on_or_before(new_york_date(bar.starts_at)))
