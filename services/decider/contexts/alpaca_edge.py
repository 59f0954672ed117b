"""The edge to Alpaca's market data and account: what decisions know of the market and the portfolio.

Reads only. Account, positions and market data are asked for at the same time, many symbols at once. Every call is kept
for the log, failed ones too, in an order that does not depend on which answered first.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from decimal import Decimal
from threading import Event
from typing import Any

import requests

from services.decider.contexts.bars import Refused, bars_of
from services.decider.contexts.context import Call, ContextAway, Portfolio, Reading
from services.decider.contexts.rate_limit import RateLimit
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.errors import Retryable, UsageError
from tradetrail.events.generated import CallPurpose
from tradetrail.recorded_http import TOTAL_S, RecordingSession

with warnings.catch_warnings():
    # alpaca-py imports what its own dependencies call deprecated; nothing of ours.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data.historical import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient

# How soon a wait for answers notices that the process was asked to stop.
_STOP_EVERY_S = 0.1
# A call that begins just before its deadline still gets the time a healthy vendor takes.
_TOTAL_S_MIN = 1.0


class _NotNow(Exception):
    """The rate limit does not allow another request yet."""


class Line:
    """One connection to one API, used by one thread at a time; ``calls`` are what went over it, oldest first."""

    def __init__(self, client: Any, limit: RateLimit, purpose: CallPurpose) -> None:
        """Ask with an alpaca-py client: with its retries off, and our limits and records on."""
        self._session = RecordingSession()
        client._session = self._session
        client._retry = 0
        self._client = client
        self._limit = limit
        self._purpose = purpose
        self.calls: list[Call] = []

    def begin(self) -> None:
        """Forget what went over it."""
        self._session.drain()
        self.calls = []

    def ask(
        self,
        path: str,
        until: float,
        query: dict[str, Any] | None = None,
        symbols: tuple[str, ...] | None = None,
    ) -> Any:
        """Return the answer's JSON with exact decimals; it may take until ``until`` (monotonic).

        Raises Refused for an answer of status 400 or more, and what requests raises without an answer.
        """
        if self._limit.again_at():
            raise _NotNow(self._limit.reason)
        left_s = until - time.monotonic()
        self._session.total_s = max(_TOTAL_S_MIN, min(TOTAL_S, left_s))
        try:
            self._client.get(path, query)
        except APIError as error:
            raise Refused(error.status_code or 0, str(error)) from error
        finally:
            for exchange in self._session.drain():
                self.calls.append(Call(self._purpose, exchange, symbols))
                self._limit.heard(exchange)
        return json.loads(self.calls[-1].exchange.body or b"null", parse_float=Decimal)

    def cut(self) -> None:
        """End what is under way; for other threads."""
        self._session.cut()


class AlpacaContext:
    """Reads market and account through alpaca-py."""

    def __init__(self, settings: AlpacaSettings, rate_limit_reserve: int, stop: Event) -> None:
        """Prepare the clients; nothing is asked yet. Raises UsageError without keys.

        ``rate_limit_reserve`` requests of each minute are left to the account's executor; ``stop`` ends every wait.
        """
        key, secret = settings.key_id.get_secret_value(), settings.secret_key.get_secret_value()
        if not key or not secret:
            raise UsageError(
                "no keys for Alpaca: set TRADETRAIL_ALPACA_KEY_ID and TRADETRAIL_ALPACA_SECRET_KEY"
            )
        self._stop = stop
        # The two APIs count their requests apart, and only the trading API is the executor's too.
        self._limits = RateLimit(rate_limit_reserve), RateLimit(0)
        trading, market = self._limits
        portfolio, url = CallPurpose.PORTFOLIO_CONTEXT, settings.url.rstrip("/")
        account, positions = (
            Line(TradingClient(key, secret, raw_data=True, url_override=url), trading, portfolio)
            for _ in range(2)
        )
        bars = StockHistoricalDataClient(
            key, secret, raw_data=True, url_override=settings.data_url.rstrip("/")
        )
        self._account, self._positions = account, positions
        self._market = Line(bars, market, CallPurpose.MARKET_CONTEXT)
        self._lines = (self._account, self._positions, self._market)
        self._threads = ThreadPoolExecutor(len(self._lines), "alpaca")

    def read(
        self, symbols: Sequence[str], now: datetime, *, with_portfolio: bool, until: float
    ) -> Reading:
        """Return the finished sessions of each symbol as of ``now``, and the account with all positions if asked.

        Ends by ``until`` (monotonic), or about a second later. Raises ContextAway, and Retryable when asked to stop.
        """
        for line in self._lines:
            line.begin()
        trading, market = self._limits
        needed = ((trading, with_portfolio), (market, bool(symbols)))
        for limit, is_needed in needed:
            if is_needed and limit.again_at():
                raise ContextAway(limit.reason, (), limit.again_at())
        jobs: list[Future[Any]] = []
        if with_portfolio:
            jobs.append(self._threads.submit(self._account.ask, "/account", until))
            jobs.append(self._threads.submit(self._positions.ask, "/positions", until))
        if symbols:
            jobs.append(self._threads.submit(bars_of, self._market.ask, symbols, now, until))
        self._await(jobs)
        calls = tuple(call for line in self._lines for call in line.calls)
        try:
            portfolio = _portfolio(jobs[0].result(), jobs[1].result()) if with_portfolio else None
            return Reading(portfolio, jobs[-1].result() if symbols else {}, calls)
        except _NotNow as error:
            why = str(error)
        except (Refused, requests.RequestException) as error:
            why = f"Alpaca does not answer a context call as it should: {error}"
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            why = f"an answer of Alpaca lacks what a context needs: {error!r}"
        again_at = max(limit.again_at() for limit in self._limits)
        raise ContextAway(why, calls, again_at)

    def _await(self, jobs: Sequence[Future[Any]]) -> None:
        pending: set[Future[Any]] = set(jobs)
        while pending:
            _, pending = wait(pending, _STOP_EVERY_S)
            if pending and self._stop.is_set():
                for line in self._lines:
                    line.cut()
                raise Retryable("asked to stop while Alpaca was being asked")


def _portfolio(account: dict[str, Any], positions: Sequence[dict[str, Any]]) -> Portfolio:
    return Portfolio(
        buying_power=Decimal(account["buying_power"]),
        portfolio_value=Decimal(account["portfolio_value"]),
        positions={each["symbol"]: Decimal(each["qty"]) for each in positions},
    )
