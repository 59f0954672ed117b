"""How each strategy's signals fared; and apart from that, what the fills of those decisions are worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

import psycopg

from tradetrail.reports.asked import check_recorded
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import check_name
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows

Report = dict[str, Any]
_STRATEGY = ("strategy_name", "strategy_version")
_COUNTS = (
    *("total_signals", "declined", "executed", "failed", "blocked"),
    *("cancelled", "pending", "executing"),
)
_MOVED = ("trades", "shares_bought", "shares_sold", "value_bought_usd", "value_sold_usd")
_POSITION = ("symbol", "net_shares", "last_price", "priced_at", "price_from", "net_worth_usd")
SECTIONS = ("performance", "fills")
COLUMNS = (
    *("section", *_STRATEGY, *_COUNTS, "success_rate"),
    *(*_MOVED, "commission", "net_worth_usd", "gain_usd", "positions"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceFilter:
    """Which signals; None lets every one through. ``start`` and ``end``: days in New York on which it was answered."""

    start: date | None = None
    end: date | None = None
    strategy: str | None = None


def performance_report(connection: psycopg.Connection[Any], chosen: PerformanceFilter) -> Report:
    """Return how the period's signals fared, by strategy and version, and what their decisions' fills are worth.

    The prices are the last ones known, whatever the period. Raises UsageError for a period or strategy that can't be.
    """
    since, until = since_until(chosen.start, chosen.end)
    arguments = {
        "since": since,
        "until": until,
        "strategy": check_name("strategy", chosen.strategy),
    }
    # One state of the database for signals and fills.
    with connection.transaction():
        fared = rows(connection, "performance", arguments)
        if not fared:
            check_recorded(connection, strategy=chosen.strategy)
        moved = rows(connection, "performance_fills", arguments)
    return {
        **heading(asdict(chosen)),
        "totals": _totals(fared),
        "performance": fared,
        "fills": [
            _worth(dict(zip(_STRATEGY, names, strict=True)), list(group))
            for names, group in groupby(moved, lambda row: tuple(row[name] for name in _STRATEGY))
        ],
    }


def performance_sheet(report: Report) -> Sheet:
    """Return a row for each strategy's version and, with its section's name, another for its fills."""
    return Sheet(
        COLUMNS, ({"section": section, **row} for section in SECTIONS for row in report[section])
    )


def _totals(fared: Iterable[Report]) -> Report:
    sums = dict.fromkeys(_COUNTS, 0)
    for row in fared:
        for name in _COUNTS:
            sums[name] += row[name]
    rate = None
    if sums["total_signals"]:
        percent = Decimal(100) * sums["executed"] / sums["total_signals"]
        rate = percent.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {**sums, "success_rate": rate}


def _worth(strategy: Report, moved: list[Report]) -> Report:
    """Return a strategy's fills, and what is left of them at the last prices; null where a price is not known."""
    held = [row for row in moved if row["net_shares"]]
    sums = {name: sum(row[name] for row in moved) for name in _MOVED}
    paid = [row["commission"] for row in moved if row["commission"] is not None]
    worth = gain = None
    if all(row["net_worth_usd"] is not None for row in held):
        worth = sum((row["net_worth_usd"] for row in held), Decimal(0))
        gain = sums["value_sold_usd"] + worth - sums["value_bought_usd"]
    return {
        **strategy,
        **sums,
        "commission": sum(paid, Decimal(0)) if paid else None,
        "net_worth_usd": worth,
        "gain_usd": gain,
        "positions": [{name: row[name] for name in _POSITION} for row in held],
    }
