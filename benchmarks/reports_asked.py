"""What the reports' benchmark asks: every report, as a function and as a URL, over the seeded data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.reports_shape import WATCHED, YEAR
from tradetrail.errors import Fatal
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.decision import decision_report
from tradetrail.reports.declined import DeclinedFilter, declined_report
from tradetrail.reports.executed import executed_report
from tradetrail.reports.failed import FailedFilter, failed_report
from tradetrail.reports.known_at import known_at_report
from tradetrail.reports.operator_acts import ActFilter, operator_acts_report
from tradetrail.reports.performance import PerformanceFilter, performance_report
from tradetrail.reports.portfolio import portfolio_report
from tradetrail.reports.runs import RunFilter, run_report
from tradetrail.reports.symbol import symbol_report
from tradetrail.reports.unresolved import UnresolvedFilter, unresolved_report

Connection = psycopg.Connection[Any]
# One month of the year: what a listing is asked for. All months hold about as much.
MONTH = (date(2025, 6, 1), date(2025, 6, 30))
PAGE, LONG_PAGE = 100, 10_000
QUESTIONS = (
    *("symbol_year", "symbol_year_top", "symbol_year_cold"),
    *("executed_page", "failed_page", "declined_page", "runs_page", "operator_acts_page"),
    *("unresolved_page", "decision", "known_at", "performance_month", "performance_all"),
    *("portfolio", "executed_page_all", "list_10k", "list_10k_failed", "list_10k_declined"),
)
_SOME_DECISION = sql.SQL(
    "SELECT decision_id FROM {}.trade_decisions "
    "WHERE symbol = %s AND status = 'executed' AND created_at IS NOT NULL ORDER BY created_at DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: its name among the figures, the function that answers it, and its URL."""

    name: str
    answer: Callable[[Connection], Any]
    path: str
    accept: str = "application/json"


def asked(dsn: str, schema: str) -> list[Asked]:
    """Return every question; those about one decision take the newest of the hot symbol."""
    decision = _decision(dsn, schema)
    year, month = _period(*YEAR), _period(*MONTH)
    when = {"start": MONTH[0], "end": MONTH[1]}
    trades, failures = TradeFilter(**when), FailedFilter(**when)
    declines, shown = DeclinedFilter(**when), f"&limit={PAGE}"
    listings = [
        Asked(
            "executed_page",
            lambda c: executed_report(c, trades, PAGE),
            f"/reports/executed?{month}{shown}",
        ),
        Asked(
            "failed_page",
            lambda c: failed_report(c, failures, PAGE),
            f"/reports/failed?{month}{shown}",
        ),
        Asked(
            "declined_page",
            lambda c: declined_report(c, declines, PAGE),
            f"/reports/declined?{month}{shown}",
        ),
        Asked("runs_page", lambda c: run_report(c, RunFilter(**when)), f"/reports/runs?{month}"),
        Asked(
            "operator_acts_page",
            lambda c: operator_acts_report(c, ActFilter(**when)),
            f"/reports/operator-acts?{month}",
        ),
        Asked(
            "unresolved_page",
            lambda c: unresolved_report(c, UnresolvedFilter()),
            "/reports/unresolved",
        ),
    ]
    others = [
        Asked("decision", lambda c: decision_report(c, decision), f"/reports/decision/{decision}"),
        Asked("known_at", lambda c: known_at_report(c, decision), f"/reports/known-at/{decision}"),
        Asked(
            "performance_month",
            lambda c: performance_report(c, PerformanceFilter(**when)),
            f"/reports/performance?{month}",
        ),
        Asked(
            "performance_all",
            lambda c: performance_report(c, PerformanceFilter()),
            "/reports/performance",
        ),
        Asked("portfolio", portfolio_report, "/reports/portfolio"),
        Asked(
            "executed_page_all",
            lambda c: executed_report(c, TradeFilter(), PAGE),
            f"/reports/executed?limit={PAGE}",
        ),
    ]
    return [
        *_symbol_years(year),
        *listings,
        *others,
        *_long_lists(month, trades, failures, declines),
    ]


def _symbol_years(year: str) -> list[Asked]:
    def one(name: str, symbol: str) -> Asked:
        return Asked(
            name,
            lambda c: symbol_report(c, symbol, *YEAR, limit=PAGE),
            f"/reports/symbol/{symbol}?{year}&limit={PAGE}",
        )

    names = {"hot": "symbol_year", "top": "symbol_year_top", "cold": "symbol_year_cold"}
    return [one(names[which], symbol) for which, symbol in WATCHED.items()]


def _long_lists(
    month: str, trades: TradeFilter, failures: FailedFilter, declines: DeclinedFilter
) -> list[Asked]:
    long = f"{month}&limit={LONG_PAGE}"
    return [
        Asked(
            "list_10k", lambda c: executed_report(c, trades, LONG_PAGE), f"/reports/executed?{long}"
        ),
        Asked(
            "list_10k_failed",
            lambda c: failed_report(c, failures, LONG_PAGE),
            f"/reports/failed?{long}",
        ),
        Asked(
            "list_10k_declined",
            lambda c: declined_report(c, declines, LONG_PAGE),
            f"/reports/declined?{long}",
        ),
    ]


def _period(first: date, last: date) -> str:
    return f"from={first}&to={last}"


def _decision(dsn: str, schema: str) -> str:
    with psycopg.connect(dsn) as connection:
        query = _SOME_DECISION.format(sql.Identifier(schema))
        for symbol in WATCHED.values():
            if found := connection.execute(query, (symbol,)).fetchone():
                return str(found[0])
    raise Fatal("the seed holds no executed decision of the symbols that are watched; seed more")
