"""The activity of one symbol in a period: data ingested, decisions made and declined, trades, and their sums."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

import psycopg

from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import LIMIT_MAX, check_limit
from tradetrail.reports.period import since_until
from tradetrail.reports.queries import rows
from tradetrail.reports.section_cursor import as_id, as_instant, as_number, as_offset
from tradetrail.reports.sections import Section, begins_of, flat_rows, page_of_each
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


def _disclosures(day: str, other_day: str) -> Section:
    return Section(
        "disclosures",
        lambda row: {
            "after_day": row[day],
            "after_other": row[other_day],
            "after_id": row["record_id"],
        },
        {
            "after_day": date.fromisoformat,
            "after_other": date.fromisoformat,
            "after_id": as_id,
        },
        columns={"day": day, "other_day": other_day},
    )


def _answers(query: str) -> Section:
    return Section(
        query,
        lambda row: {
            "after_at": row["created_at"],
            "after_strength": row["rationale"]["signal_strength"],
            "after_id": row["decision_id"],
        },
        {"after_at": as_instant, "after_strength": as_number, "after_id": as_id},
    )


_DISCLOSURES = {
    By.REPORTED: _disclosures("disclosed_on", "transaction_date"),
    By.TRANSACTION_DATE: _disclosures("transaction_date", "disclosed_on"),
}
_DECISIONS, _DECLINED = _answers("decisions"), _answers("declined")
_TRADES = Section(
    "trades",
    lambda row: {
        "after_at": row["filled_at"],
        "after_id": row["decision_id"],
        "after_attempt": row["attempt_number"],
    },
    {"after_at": as_instant, "after_id": as_id, "after_attempt": as_offset},
    only_order=("attempt_number",),
)


def symbol_report(
    connection: psycopg.Connection[Any],
    symbol: str,
    start: date,
    end: date,
    by: By = By.REPORTED,
    *,
    limit: int = LIMIT_MAX,
    after: str | None = None,
) -> Report:
    """Return the report of ``symbol`` from ``start`` to ``end``, both included; each list has ``limit`` rows at most.

    Days are New York's. A decision counts on the day it was made, a trade on the day of its last fill, a disclosure on
    the day it was reported (or traded); of a changed record the newest version counts, once. ``after`` is the ``next``
    of the page before; the sums don't depend on the page. Raises UsageError for what can't be a symbol or a cursor, a
    limit out of bounds, and a period that ends before it begins.
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
    sections = dict(zip(SECTIONS, (_DISCLOSURES[by], _DECISIONS, _DECLINED, _TRADES), strict=True))
    begins = begins_of(sections, after)
    check_limit(limit)
    # One state of the database for every list and the sums.
    with connection.transaction():
        sums = rows(connection, "symbol_sums", arguments)[0]
        sums |= rows(connection, "disclosures_count", arguments, **_DISCLOSURES[by].columns)[0]
        lists, following = page_of_each(connection, sections, arguments, begins, limit)
    return {
        "symbol": symbol,
        "period": {"from": start, "to": end, "by": str(by)},
        **lists,
        "summary": _summary(sums),
        "totals": {
            "data_ingested": sums["data_ingested"],
            "decisions_made": sums["total_signals"],
            "declined": sums["declined"],
            "trades_executed": sums["total_trades"],
        },
        "next": following,
    }


def symbol_sheet(report: Report) -> Sheet:
    """Return every section's rows one after the other, each with its section's name, in one set of columns."""
    return Sheet(COLUMNS, flat_rows({section: report[section] for section in SECTIONS}))


def success_rate(executed: int, total: int) -> float | None:
    """Return executed as percent of total with one decimal, half up; None without signals.

    A float, which prints its one decimal also when it is zero; it is no money.
    """
    if total == 0:
        return None
    return float((Decimal(100) * executed / total).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _summary(sums: Report) -> Report:
    total, executed = sums["total_signals"], sums["executed"]
    return {
        "decisions": {
            "total_signals": total,
            "executed": executed,
            "failed": sums["failed"],
            "success_rate": success_rate(executed, total),
        },
        "executions": {
            name: sums[name] for name in ("total_trades", "shares_bought", "shares_sold")
        },
    }


def symbol_span(connection: psycopg.Connection[Any], symbol: str) -> tuple[date, date] | None:
    """Return the first and last day, New York, with anything recorded about ``symbol``; None when nothing is.

    Raises UsageError for what can't be a symbol.
    """
    found = rows(connection, "symbol_span", {"symbol": check_symbol(symbol)})[0]
    return None if found["first_day"] is None else (found["first_day"], found["last_day"])
