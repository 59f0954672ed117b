"""The activity of one symbol in a period: data ingested, decisions made and declined, trades, and their sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

import psycopg

from tradetrail.reports.export import Sheet
from tradetrail.reports.period import since_until
from tradetrail.reports.queries import rows
from tradetrail.symbols import check_symbol

Report = dict[str, Any]
SECTIONS = ("data_ingested", "decisions_made", "declined", "trades_executed")
COLUMNS = (
    "section",
    *("ingestion_run_id", "ingested_at", "available_at", "record_id", "politician", "insider"),
    *("transaction_type", "transaction_date", "disclosed_on", "withdrawn_at", "moved_to_symbol"),
    *("decision_id", "created_at", "strategy", "side", "quantity", "status", "failure_reason"),
    *("reason", "reason_text", "filled_at", "filled_avg_price", "rationale"),
)


class By(StrEnum):
    """Which day of a disclosure the period applies to."""

    REPORTED = "reported"
    TRANSACTION_DATE = "transaction-date"


_DISCLOSURES = {
    By.REPORTED: "disclosures_by_reported",
    By.TRANSACTION_DATE: "disclosures_by_traded",
}


def symbol_report(
    connection: psycopg.Connection[Any], symbol: str, start: date, end: date, by: By = By.REPORTED
) -> Report:
    """Return the report of ``symbol`` from ``start`` to ``end``, both included.

    Days are New York's. A decision counts on the day it was made, a trade on the day of its last fill, a disclosure on
    the day it was reported (or traded); of a changed record the newest version counts, once. Raises UsageError for what
    can't be a symbol and for a period that ends before it begins.
    """
    symbol = check_symbol(symbol)
    since, until = since_until(start, end)
    arguments = {
        "symbol": symbol,
        "first_day": start,
        "last_day": end,
        "since": since,
        "until": until,
    }
    decisions = rows(connection, "decisions", arguments)
    trades = rows(connection, "trades", arguments)
    return {
        "symbol": symbol,
        "period": {"from": start, "to": end, "by": str(by)},
        "data_ingested": rows(connection, _DISCLOSURES[by], arguments),
        "decisions_made": decisions,
        "declined": rows(connection, "declined", arguments),
        "trades_executed": trades,
        "summary": {"decisions": _decision_sums(decisions), "executions": _trade_sums(trades)},
    }


def symbol_sheet(report: Report) -> Sheet:
    """Return every section's rows one after the other, each with its section's name, in one set of columns."""
    return Sheet(COLUMNS, _flat(report))


def _flat(report: Report) -> Iterator[Report]:
    for section in SECTIONS:
        for row in report[section]:
            yield {"section": section, **row}


def success_rate(executed: int, total: int) -> float | None:
    """Return executed as percent of total with one decimal, half up; None without signals.

    A float, which prints its one decimal also when it is zero; it is no money.
    """
    if total == 0:
        return None
    return float((Decimal(100) * executed / total).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _decision_sums(decisions: list[dict[str, Any]]) -> dict[str, Any]:
    executed = sum(d["status"] == "executed" for d in decisions)
    return {
        "total_signals": len(decisions),
        "executed": executed,
        "failed": sum(d["status"] == "failed" for d in decisions),
        "success_rate": success_rate(executed, len(decisions)),
    }


def _trade_sums(trades: list[dict[str, Any]]) -> dict[str, Any]:
    def shares(side: str) -> Decimal:
        return sum((t["quantity"] for t in trades if t["side"] == side), Decimal(0))

    return {
        "total_trades": len(trades),
        "shares_bought": shares("buy"),
        "shares_sold": shares("sell"),
    }


def symbol_span(connection: psycopg.Connection[Any], symbol: str) -> tuple[date, date] | None:
    """Return the first and last day, New York, with anything recorded about ``symbol``; None when nothing is.

    Raises UsageError for what can't be a symbol.
    """
    found = rows(connection, "symbol_span", {"symbol": check_symbol(symbol)})[0]
    return None if found["first_day"] is None else (found["first_day"], found["last_day"])
