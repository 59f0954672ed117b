"""What a replay found, as a report: one object, flat rows of it, and tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from services.decider.replay.asked import Asked
from services.decider.replay.judging import KEPT_MAX, NOT_ON, NOT_REACHED, Difference, Judged
from services.decider.replay.whatif import Change, Kind, Outcome, Tried
from tradetrail.cli.report.tables import print_section, print_sums
from tradetrail.reports.export import Sheet

Report = dict[str, Any]

DIFFERENCE_COLUMNS = (
    *("day", "symbol", "strategy", "decision_id", "topic", "partition", "trigger_offset"),
    *("field", "recorded", "replayed"),
)
_SIDES = ("side", "quantity", "strength", "reason", "limit_price")
CHANGE_COLUMNS = (
    *("change", "day", "symbol", "strategy", "decision_id"),
    *(f"old_{name}" for name in _SIDES),
    *(f"new_{name}" for name in _SIDES),
    *("size_basis", "price", "price_as_of", "portfolio_value", "portfolio_as_of"),
)
_ALWAYS = (
    *("triggers", "answers_compared", "differences", "answers", "appear", "vanish", "change"),
    *("unchanged", "seconds"),
)
_WHERE_ANY = (
    *("declined_for_another_reason", "decider_not_there_yet", "strategy_off_then"),
    "not_runnable",
)
# A table has room for what is asked most; the other forms have every column.
_SHOWN = (
    *("change", "day", "symbol", "strategy", "old_reason", "old_side", "old_quantity"),
    *("old_strength", "new_reason", "new_side", "new_quantity", "new_strength", "size_basis"),
)


def differences_report(asked: Asked, judged: Judged, seconds: float) -> Report:
    """Return what an identical replay found."""
    return {
        "mode": "identity",
        "asked": _asked(asked),
        "triggers": judged.triggers,
        "answers_compared": judged.compared,
        "differences": judged.differences,
        "triggers_without_answer": {
            "decider_not_there_yet": judged.unanswered[NOT_REACHED],
            "strategy_off_then": judged.unanswered[NOT_ON],
        },
        "seconds": round(seconds, 1),
        "rows": [row for each in judged.kept for row in _difference_rows(each)],
    }


def whatif_report(asked: Asked, tried: Tried, seconds: float) -> Report:
    """Return what a what-if found."""
    kinds = [change.kind for change in tried.changes]
    return {
        "mode": "what-if",
        "asked": _asked(asked),
        "triggers": tried.triggers,
        "answers": tried.decided,
        "appear": kinds.count(Kind.APPEARS),
        "vanish": kinds.count(Kind.VANISHES),
        "change": kinds.count(Kind.CHANGES),
        "unchanged": tried.unchanged,
        "declined_for_another_reason": tried.other_reason,
        "not_runnable": tried.not_runnable,
        "not_runnable_why": tried.not_runnable_why or None,
        "seconds": round(seconds, 1),
        "rows": [_change_row(change) for change in tried.changes],
    }


def sheet(report: Report) -> Sheet:
    """Return the rows for CSV and Parquet."""
    if report["mode"] == "identity":
        return Sheet(DIFFERENCE_COLUMNS, report["rows"])
    return Sheet(CHANGE_COLUMNS, report["rows"])


def print_report(report: Report, console: Console) -> None:
    """Print the rows as a table, and the summary."""
    if report["mode"] == "identity":
        print_section(console, "differences", report["rows"], DIFFERENCE_COLUMNS, ("day", "symbol"))
        if report["differences"] > KEPT_MAX:
            console.print(f"the first {KEPT_MAX} of {report['differences']} are shown")
    else:
        print_section(console, "decisions", report["rows"], _SHOWN, ("day", "symbol", "change"))
        if why := report["not_runnable_why"]:
            console.print(
                f"{report['not_runnable']} triggers could not be tried: {why}", markup=False
            )
    print_sums(console, "replayed", sums(report))


def sums(report: Report) -> dict[str, Any]:
    """Return the numbers of the summary line, those that are zero and say nothing left out."""
    flat = {**report, **report.get("triggers_without_answer", {})}
    names = [name for name in (*_ALWAYS, *_WHERE_ANY) if name in flat]
    return {name: flat[name] for name in names if flat[name] or name in _ALWAYS}


def _asked(asked: Asked) -> dict[str, Any]:
    return {
        "from": asked.first,
        "to": asked.last,
        "symbol": asked.symbol,
        "strategy": asked.strategy,
        "strategy_version": asked.version,
        "set": {
            f"{each.owner}.{each.name}" if each.owner else each.name: each.text
            for each in asked.overrides
        },
    }


def _difference_rows(difference: Difference) -> Iterator[dict[str, Any]]:
    topic, partition = difference.place
    for each in difference.fields:
        yield {
            "day": difference.day,
            "symbol": difference.symbol,
            "strategy": difference.strategy,
            "decision_id": difference.decision_id,
            "topic": topic,
            "partition": partition,
            "trigger_offset": difference.offset,
            "field": each.field,
            "recorded": each.recorded,
            "replayed": each.replayed,
        }


def _change_row(change: Change) -> dict[str, Any]:
    basis = change.basis
    return {
        "change": str(change.kind),
        "day": change.day,
        "symbol": change.symbol,
        "strategy": change.strategy,
        "decision_id": change.decision_id,
        **_outcome("old", change.old),
        **_outcome("new", change.new),
        "size_basis": str(basis.size),
        "price": basis.price,
        "price_as_of": basis.price_as_of,
        "portfolio_value": basis.portfolio_value,
        "portfolio_as_of": basis.portfolio_as_of,
    }


def _outcome(prefix: str, outcome: Outcome) -> dict[str, Any]:
    return {
        f"{prefix}_side": outcome.side and str(outcome.side),
        f"{prefix}_quantity": outcome.quantity,
        f"{prefix}_strength": outcome.strength,
        f"{prefix}_reason": outcome.reason,
        f"{prefix}_limit_price": outcome.limit_price,
    }
