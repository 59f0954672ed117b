"""Why there was no trade: every declined signal with its reason and numbers, and what came of a symbol otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from tradetrail.events.generated import DeclineReason
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import (
    LIMIT_DEFAULT,
    check_among,
    check_name,
    cut,
    page_arguments,
)
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.symbols import check_symbol

Report = dict[str, Any]
COLUMNS = (
    *("decision_id", "declined_at", "symbol", "strategy", "strategy_version", "reason"),
    *("reason_text", "side", "signal_strength", "confidence_score", "rules", "records_used"),
    *("names", "ingestion_run_ids", "view_through", "topic", "partition", "offset"),
    *("appended_at", "configuration_hash"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclinedFilter:
    """Which signals; None lets every one through. ``start`` and ``end``: days in New York on which it was declined."""

    start: date | None = None
    end: date | None = None
    symbol: str | None = None
    strategy: str | None = None
    reason: DeclineReason | None = None


def declined_report(
    connection: psycopg.Connection[Any],
    chosen: DeclinedFilter,
    limit: int = LIMIT_DEFAULT,
    after: str | None = None,
) -> Report:
    """Return a page of declined signals, newest first, and how many there are by reason.

    ``after`` is the ``next`` of the page before; what is declined meanwhile shifts no later page. Asked about one
    symbol it also tells what else the period brought, so that an empty page is an answer too. Raises UsageError for a
    limit out of bounds, and for a period, cursor, symbol or strategy that can't be.
    """
    since, until = since_until(chosen.start, chosen.end)
    symbol = None if chosen.symbol is None else check_symbol(chosen.symbol)
    arguments = {
        "since": since,
        "until": until,
        "symbol": symbol,
        "strategy": check_name("strategy", chosen.strategy),
        "reason": chosen.reason,
    }
    page = page_arguments(limit, after)
    # One state of the database for page and sums.
    with connection.transaction():
        reasons = {
            row["name"]: row["count"] for row in rows(connection, "declined_totals", arguments)
        }
        if not reasons:
            names = [row["name"] for row in rows(connection, "strategy_names")]
            check_among("strategy", chosen.strategy, names)
        found = rows(connection, "declined_page", arguments | page)
        activity = rows(connection, "symbol_activity", arguments)[0] if symbol else None
    shown, following = cut(found, limit, at="declined_at", key="decision_id")
    return {
        **heading(asdict(chosen) | {"symbol": symbol}),
        "totals": {"declined": sum(reasons.values()), "reasons": reasons},
        "activity": _told(symbol, activity) if symbol and activity else None,
        "next": following,
        "declined": shown,
    }


def declined_sheet(report: Report) -> Sheet:
    """Return the page's signals, one row each; what is a list or an object is JSON."""
    return Sheet(COLUMNS, report["declined"])


def _told(symbol: str, activity: Report) -> Report:
    """Return the counts of a symbol's period with what they mean in words."""
    counts = {name: activity[name] for name in activity if name != "is_known"}
    return {**counts, "statement": " ".join(_sentences(symbol, counts, activity["is_known"]))}


def _sentences(symbol: str, counts: dict[str, int], is_known: bool) -> list[str]:
    if not is_known:
        return [f"Nothing is recorded about {symbol} at all: check the symbol."]
    came, triggers = counts["disclosures_received"], counts["triggers"]
    told = [f"{_number(came, 'disclosure')} of {symbol} came in the period."]
    if not triggers:
        told.append("No SymbolDataReady came, so the decider had nothing to answer.")
    else:
        answered = counts["triggers_answered"]
        told.append(f"{_number(triggers, 'trigger')} (SymbolDataReady), {answered} answered.")
        if answered < triggers:
            told.append(
                f"{triggers - answered} without an answer: the decider is not that far, "
                "or no strategy that runs reads their source."
            )
    made, failed = counts["decisions_made"], counts["decisions_failed"]
    told.append(
        f"{_number(made, 'decision')} made. {_number(counts['declined'], 'signal')} declined."
    )
    if failed:
        told.append(
            f"{failed} of the decisions failed: tradetrail report symbol {symbol} says why."
        )
    return told


def _number(count: int, noun: str) -> str:
    return f"{count or 'No'} {noun}{'' if count == 1 else 's'}"
