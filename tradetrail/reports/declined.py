"""Why there was no trade: every declined signal with its reason and numbers, and what came of a symbol otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from tradetrail.events.generated import DeclineReason
from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.paging import check_among, check_name
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.symbols import check_symbol

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


def _arguments(chosen: DeclinedFilter) -> Report:
    since, until = since_until(chosen.start, chosen.end)
    return {
        "since": since,
        "until": until,
        "symbol": None if chosen.symbol is None else check_symbol(chosen.symbol),
        "strategy": check_name("strategy", chosen.strategy),
        "reason": chosen.reason,
    }


def _head(connection: psycopg.Connection[Any], chosen: DeclinedFilter, arguments: Report) -> Report:
    reasons = {row["name"]: row["count"] for row in rows(connection, "declined_totals", arguments)}
    if not reasons:
        names = [row["name"] for row in rows(connection, "strategy_names")]
        check_among("strategy", chosen.strategy, names)
    symbol = arguments["symbol"]
    activity = rows(connection, "symbol_activity", arguments)[0] if symbol else None
    return {
        **heading(asdict(chosen) | {"symbol": symbol}),
        "totals": {"declined": sum(reasons.values()), "reasons": reasons},
        "activity": _told(symbol, activity) if symbol and activity else None,
    }


# Newest first. Asked about one symbol it also tells what else the period brought: an empty page is an answer too.
DECLINED: Listing[DeclinedFilter] = Listing(
    name="declined",
    columns=COLUMNS,
    at="declined_at",
    key="decision_id",
    arguments=_arguments,
    head=_head,
    query="declined_page",
)
declined_report, declined_sheet = DECLINED.report, DECLINED.sheet
