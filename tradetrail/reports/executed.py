"""What executed: every decision that bought or sold something, with what its fills add up to."""

from __future__ import annotations

from typing import Any

import psycopg

from tradetrail.reports.asked import TradeFilter, check_recorded, trade_arguments, trade_heading
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import LIMIT_DEFAULT, cut, page_arguments
from tradetrail.reports.queries import rows

Report = dict[str, Any]
COLUMNS = (
    *("decision_id", "symbol", "side", "quantity", "filled_quantity", "filled_price"),
    *("filled_value_usd", "commission", "executed_at", "submitted_at", "created_at"),
    *("strategy", "strategy_version", "decision_status", "retry_count", "execution_ids"),
    *("alpaca_order_ids", "signal_strength", "confidence_score", "trigger_event", "made_by", "why"),
    *("topic", "partition", "offset", "appended_at", "rationale"),
)


def executed_report(
    connection: psycopg.Connection[Any],
    chosen: TradeFilter,
    limit: int = LIMIT_DEFAULT,
    after: str | None = None,
) -> Report:
    """Return a page of executed trades, newest first, and what all that ``chosen`` lets through adds up to.

    The period counts the day of the last fill. ``after`` is the ``next`` of the page before; what executes meanwhile
    shifts no later page. Raises UsageError for a limit out of bounds and for a period, cursor, symbol or strategy that
    can't be, NotRecorded for a symbol that nothing is recorded about.
    """
    arguments = trade_arguments(chosen)
    page = page_arguments(limit, after)
    # One state of the database for page and sums.
    with connection.transaction():
        totals = rows(connection, "executed_totals", arguments)[0]
        if not totals["executed"]:
            check_recorded(connection, symbol=chosen.symbol, strategy=chosen.strategy)
        found = rows(connection, "executed_page", arguments | page)
    shown, following = cut(found, limit, at="executed_at", key="decision_id")
    return {**trade_heading(chosen), "totals": totals, "next": following, "executed": shown}


def executed_sheet(report: Report) -> Sheet:
    """Return the page's trades, one row each; what is a list or an object is JSON."""
    return Sheet(COLUMNS, report["executed"])
