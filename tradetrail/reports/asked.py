"""What reports on trades are asked: a period, symbol, strategy and side; and whether there is such a thing at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from tradetrail.errors import NotRecorded
from tradetrail.events.generated import Side
from tradetrail.reports.paging import check_among, check_name
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.reports.symbol import symbol_span
from tradetrail.symbols import check_symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFilter:
    """Which trades; None lets every one through. ``start`` and ``end``: days in New York on which they ended."""

    start: date | None = None
    end: date | None = None
    symbol: str | None = None
    strategy: str | None = None
    side: Side | None = None


def trade_arguments(chosen: TradeFilter) -> dict[str, Any]:
    """Return the filters as arguments of a query. Raises UsageError for a period, symbol or strategy that can't be."""
    filters = asdict(chosen)
    since, until = since_until(filters.pop("start"), filters.pop("end"))
    return filters | {
        "since": since,
        "until": until,
        "symbol": None if chosen.symbol is None else check_symbol(chosen.symbol),
        "strategy": check_name("strategy", chosen.strategy),
    }


def trade_heading(chosen: TradeFilter) -> dict[str, Any]:
    """Return the period and the filters as a report repeats them."""
    symbol = None if chosen.symbol is None else check_symbol(chosen.symbol)
    return heading(asdict(chosen) | {"symbol": symbol})


def check_recorded(
    connection: psycopg.Connection[Any], *, symbol: str | None = None, strategy: str | None = None
) -> None:
    """Tell filters that nothing happens to pass from those that nothing ever could; for when nothing was found.

    Raises NotRecorded for a symbol that nothing is recorded about, UsageError for a strategy that answered nothing.
    """
    if symbol is not None and symbol_span(connection, symbol) is None:
        raise NotRecorded(f"nothing is recorded about {symbol.upper()}; check the symbol")
    if strategy is not None:
        names = [row["name"] for row in rows(connection, "strategy_names")]
        check_among("strategy", strategy, names)
