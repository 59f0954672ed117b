"""What failed and why: each failed decision in the control's or the broker's own words, and how often each reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from tradetrail.events.generated import FailureReason
from tradetrail.reports.asked import TradeFilter, check_recorded, trade_arguments, trade_heading
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import LIMIT_DEFAULT, cut, page_arguments
from tradetrail.reports.queries import rows

Report = dict[str, Any]
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


def failed_report(
    connection: psycopg.Connection[Any],
    chosen: FailedFilter,
    limit: int = LIMIT_DEFAULT,
    after: str | None = None,
) -> Report:
    """Return a page of failed decisions, newest first, and how many there are by reason and by control.

    ``after`` is the ``next`` of the page before; what fails meanwhile shifts no later page. Raises UsageError for a
    limit out of bounds and for a period, cursor, symbol or strategy that can't be, NotRecorded for a symbol that
    nothing is recorded about.
    """
    arguments = trade_arguments(chosen)
    page = page_arguments(limit, after)
    # One state of the database for page and sums.
    with connection.transaction():
        grouped = rows(connection, "failed_totals", arguments)
        if not grouped:
            check_recorded(connection, symbol=chosen.symbol, strategy=chosen.strategy)
        found = rows(connection, "failed_page", arguments | page)
    shown, following = cut(found, limit, at="failed_at", key="decision_id")
    return {**trade_heading(chosen), "totals": _totals(grouped), "next": following, "failed": shown}


def failed_sheet(report: Report) -> Sheet:
    """Return the page's failures, one row each; what is an object is JSON."""
    return Sheet(COLUMNS, report["failed"])


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
