"""What failed and why: each failed decision in the control's or the broker's own words, and how often each reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from tradetrail.events.generated import FailureReason
from tradetrail.reports.asked import TradeFilter, check_recorded, trade_arguments, trade_heading
from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.queries import rows

COLUMNS = (
    *("decision_id", "symbol", "side", "quantity", "filled_quantity", "failed_at", "created_at"),
    *("strategy", "strategy_version", "reason", "control", "limit", "observed", "unit", "message"),
    *("retry_count", "executions", "execution_id", "execution_status", "alpaca_order_id"),
    *("api_request", "api_response", "signal_strength", "confidence_score", "trigger_event"),
    *("made_by", "why", "topic", "partition", "offset", "appended_at", "rationale"),
)
# A failed decision whose event states no reason; the executor's always do.
_UNSTATED = "unstated"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedFilter(TradeFilter):
    """Which failures; None lets every one through. ``start`` and ``end``: days in New York on which they failed."""

    reason: FailureReason | None = None


def _totals(grouped: Iterable[Report]) -> Report:
    reasons: Counter[str] = Counter()
    controls: Counter[str] = Counter()
    for group in grouped:
        reasons[group["reason"] or _UNSTATED] += group["count"]
        if group["control"]:
            controls[group["control"]] += group["count"]
    return {
        "failed": reasons.total(),
        "reasons": dict(reasons.most_common()),
        "controls": dict(controls.most_common()),
    }


def _head(connection: psycopg.Connection[Any], chosen: FailedFilter, arguments: Report) -> Report:
    grouped = rows(connection, "failed_totals", arguments)
    if not grouped:
        check_recorded(connection, symbol=chosen.symbol, strategy=chosen.strategy)
    return {**trade_heading(chosen), "totals": _totals(grouped)}


# Newest first, and how many there are by reason and by control.
FAILED: Listing[FailedFilter] = Listing(
    name="failed",
    columns=COLUMNS,
    at="failed_at",
    key="decision_id",
    arguments=trade_arguments,
    head=_head,
    query="failed_page",
)
failed_report, failed_sheet = FAILED.report, FAILED.sheet
