"""What executed: every decision that bought or sold something, with what its fills add up to."""

from __future__ import annotations

from typing import Any

import psycopg

from tradetrail.reports.asked import TradeFilter, check_recorded, trade_arguments, trade_heading
from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.queries import rows

COLUMNS = (
    *("decision_id", "symbol", "side", "quantity", "filled_quantity", "filled_price"),
    *("filled_value_usd", "commission", "executed_at", "submitted_at", "created_at"),
    *("strategy", "strategy_version", "decision_status", "retry_count", "execution_ids"),
    *("alpaca_order_ids", "signal_strength", "confidence_score", "trigger_event", "made_by", "why"),
    *("topic", "partition", "offset", "appended_at", "rationale"),
)


def _head(connection: psycopg.Connection[Any], chosen: TradeFilter, arguments: Report) -> Report:
    totals = rows(connection, "executed_totals", arguments)[0]
    if not totals["executed"]:
        check_recorded(connection, symbol=chosen.symbol, strategy=chosen.strategy)
    return {**trade_heading(chosen), "totals": totals}


# Newest first; the period counts the day of the last fill.
EXECUTED: Listing[TradeFilter] = Listing(
    name="executed",
    columns=COLUMNS,
    at="executed_at",
    key="decision_id",
    arguments=trade_arguments,
    head=_head,
    query="executed_page",
)
executed_report, executed_sheet = EXECUTED.report, EXECUTED.sheet
