"""The daily bars of many symbols from Alpaca's multi-symbol endpoint.

A symbol the vendor does not know is simply missing in the answer; one that it takes for no symbol at all has the whole
request refused. Such a one is found and asked for alone, so that it spoils no other's.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from services.decider.contexts.context import SESSIONS, DailyBar
from tradetrail.redaction import hidden
from tradetrail.sessions import new_york_date, session_close, session_on_or_before

# Twenty-one sessions lie within 45 calendar days, holidays included.
BARS_LOOKBACK = timedelta(days=45)
# One request's symbols: their bars fit one page of the vendor's largest size three times over, and its URL any server.
SYMBOLS_MAX = 100
# Source: Alpaca, the largest ``limit`` of /v2/stocks/bars.
PAGE_ROWS = 10_000
# One reading's requests, pages and searches for spoilers included: far above what a batch needs, below a minute's.
REQUESTS_MAX = 60
_SPOILED = frozenset({400, 422})
_SHOWN_CHARACTERS = 300


class Refused(Exception):
    """Alpaca answered, and not with what was asked for."""

    def __init__(self, status_code: int, text: str) -> None:
        """Keep status and text beside the message, which is cut short."""
        # Hidden before it is cut: half of a secret would not be known as one.
        super().__init__(f"HTTP {status_code}: {hidden(text)[:_SHOWN_CHARACTERS]}")
        self.status_code = status_code
        self.text = text


class Ask(Protocol):
    """How one request is made; see ``alpaca_edge.Line.ask``."""

    def __call__(
        self, path: str, until: float, query: dict[str, Any], symbols: tuple[str, ...]
    ) -> Any:
        """Return the answer's JSON."""


def bars_of(
    ask: Ask, symbols: Sequence[str], now: datetime, until: float, page_rows: int = PAGE_ROWS
) -> dict[str, tuple[DailyBar, ...]]:
    """Return each symbol's last 21 finished sessions as of ``now``, oldest first; none for what has no price.

    Raises Refused when Alpaca refuses more than single symbols, ValueError when it wants too many requests.
    """
    span = {"start": _instant(now - BARS_LOOKBACK), "end": _instant(now)}
    query = {"timeframe": "1Day", **span, "limit": page_rows}
    rows: dict[str, list[Any]] = {symbol: [] for symbol in symbols}
    ordered = sorted(rows)
    left = deque(
        (tuple(ordered[at : at + SYMBOLS_MAX]), "") for at in range(0, len(ordered), SYMBOLS_MAX)
    )
    for _ in range(REQUESTS_MAX):
        if not left:
            return {symbol: _finished(found, now) for symbol, found in rows.items()}
        chunk, token = left.popleft()
        page = {"page_token": token} if token else {}
        try:
            told = ask("/stocks/bars", until, {"symbols": ",".join(chunk), **query, **page}, chunk)
        except Refused as error:
            is_spoiled = error.status_code in _SPOILED and _is_about(chunk, error.text)
            if token or not is_spoiled:
                raise
            if len(chunk) > 1:
                left.extendleft((part, "") for part in reversed(_parted(chunk, error.text)))
            continue
        for symbol, found in (told.get("bars") or {}).items():
            rows.setdefault(symbol, []).extend(found)
        if token := told.get("next_page_token") or "":
            left.appendleft((chunk, token))
    raise ValueError(f"{len(ordered)} symbols' bars would take more than {REQUESTS_MAX} requests")


def _is_about(chunk: tuple[str, ...], text: str) -> bool:
    return "symbol" in text.casefold() or bool(_named(chunk, text))


def _named(chunk: tuple[str, ...], text: str) -> tuple[str, ...]:
    return tuple(
        symbol
        for symbol in chunk
        if re.search(rf"(?<![\w.-]){re.escape(symbol)}(?![\w-]|\.\w)", text)
    )


def _parted(chunk: tuple[str, ...], text: str) -> list[tuple[str, ...]]:
    """Return the parts to ask for instead: those the refusal names alone and the rest, or both halves."""
    named = _named(chunk, text)
    if named and len(named) < len(chunk):
        rest = tuple(symbol for symbol in chunk if symbol not in named)
        return [rest, *((symbol,) for symbol in named)]
    middle = len(chunk) // 2
    return [chunk[:middle], chunk[middle:]]


def _finished(rows: Sequence[Any], now: datetime) -> tuple[DailyBar, ...]:
    """Return the bars of sessions that are over: the vendor also tells the running one. A price of zero is none."""
    bars = [
        DailyBar(datetime.fromisoformat(row["t"]), Decimal(row["c"]), Decimal(row["v"]))
        for row in rows
    ]
    over = [bar for bar in bars if bar.close > 0 and _close_of(bar) <= now]
    return tuple(over[-(SESSIONS + 1) :])


def _close_of(bar: DailyBar) -> datetime:
    return session_close(session_on_or_before(new_york_date(bar.starts_at)))


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
