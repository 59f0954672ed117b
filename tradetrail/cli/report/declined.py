"""``tradetrail report declined``: why there was no trade."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.listings import Asked, put_out
from tradetrail.cli.report.options import (
    After,
    Every,
    First,
    Form,
    Last,
    Limit,
    OfStrategy,
    OfSymbol,
    Output,
    period,
)
from tradetrail.cli.report.output import ReportFormat, talk
from tradetrail.cli.report.tables import WIDE_COLUMNS, cell, print_section, print_sums
from tradetrail.events.generated import DeclineReason
from tradetrail.reports.declined import DECLINED, DeclinedFilter

_SHOWN = ("declined_at", "symbol", "strategy", "side", "reason", "reason_text", "decision_id")
_WHOLE = ("declined_at", "symbol", "decision_id")
_RULES = ("declined_at", "symbol", "rule", "value", "threshold", "explanation")


def declined(
    first: First = None,
    last: Last = None,
    symbol: OfSymbol = None,
    strategy: OfStrategy = None,
    reason: Annotated[
        DeclineReason | None, typer.Option("--reason", help="only signals declined for this")
    ] = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """Why there was no trade: every declined signal, its reason and the numbers behind it.

    Newest first. A period counts the day in New York on which a signal was declined; without one, all of them. With
    --symbol it also tells what else the period brought, so that an empty list is an answer too.
    """
    start, end = period(first, last)
    chosen = DeclinedFilter(start=start, end=end, symbol=symbol, strategy=strategy, reason=reason)
    told = put_out(
        DECLINED, chosen, Asked(limit, after, every, form, output), print_declined_report
    )
    if form in (ReportFormat.CSV, ReportFormat.PARQUET) and told["activity"]:
        talk(told["activity"]["statement"])


def print_declined_report(report: dict[str, Any], console: Console) -> None:
    """Print a page of declined signals as tables for people; times are New York's."""
    told = report["declined"]
    if console.width >= WIDE_COLUMNS:
        print_section(console, "declined", told, _SHOWN, whole=_WHOLE)
    else:
        columns = ("declined_at", "why")
        print_section(
            console, "declined", [_narrow(signal) for signal in told], columns, whole=columns[:1]
        )
    against = [
        {name: signal[name] for name in _RULES[:2]} | {name: rule.get(name) for name in _RULES[2:]}
        for signal in told
        for rule in signal["rules"]
        if not rule["passed"]
    ]
    if against:
        print_section(console, "rules_that_spoke_against", against, _RULES, whole=_RULES[:2])
    console.print()
    reasons = report["totals"]["reasons"]
    print_sums(console, "totals", {"declined": report["totals"]["declined"], **reasons})
    if report["activity"]:
        console.print(report["activity"]["statement"], markup=False, highlight=False)


def _narrow(signal: dict[str, Any]) -> dict[str, Any]:
    what = " ".join(filter(None, (signal["symbol"], signal["side"])))
    why = f"{signal['reason']}: {signal['reason_text']}"
    return {
        "declined_at": f"{cell(signal['declined_at'])}\n{what}",
        "why": f"{why}\n{signal['strategy']}\n{signal['decision_id']}",
    }
