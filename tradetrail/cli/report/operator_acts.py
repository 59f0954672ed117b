"""``tradetrail report operator-acts``: who did what, and why."""

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
    OfSymbol,
    Output,
    period,
)
from tradetrail.cli.report.output import ReportFormat
from tradetrail.cli.report.tables import cell, print_section, print_sums
from tradetrail.events.generated import OperatorAct
from tradetrail.reports.operator_acts import OPERATOR_ACTS, ActFilter

_SHOWN = ("acted_at", "act", "who and why", "answers")


def operator_acts(
    first: First = None,
    last: Last = None,
    operator: Annotated[
        str | None, typer.Option("--operator", help="only what this person did")
    ] = None,
    act: Annotated[OperatorAct | None, typer.Option("--act", help="only acts of this kind")] = None,
    symbol: OfSymbol = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """What people did: who, what, why and when, and what each service answered.

    Newest first. A period counts the day in New York on which somebody acted; without one, all of them.
    """
    start, end = period(first, last)
    chosen = ActFilter(start=start, end=end, operator=operator, act=act, symbol=symbol)
    put_out(
        OPERATOR_ACTS, chosen, Asked(limit, after, every, form, output), print_operator_acts_report
    )


def print_operator_acts_report(report: dict[str, Any], console: Console) -> None:
    """Print a page of acts as a table for people; times are New York's."""
    shown = [_row(act) for act in report["operator_acts"]]
    print_section(console, "operator_acts", shown, _SHOWN, whole=_SHOWN[:1])
    console.print()
    totals = report["totals"]
    print_sums(console, "totals", {"operator_acts": totals["operator_acts"], **totals["acts"]})


def _row(act: dict[str, Any]) -> dict[str, Any]:
    concerned = act["symbol"] or act["scope"]
    answers = [
        f"{answer['service']} {answer['member_id'] or ''}: {answer['outcome']}, {cell(answer['explanation'])}"
        for answer in act["answers"]
    ]
    return {
        "acted_at": act["acted_at"],
        "act": f"{act['act']}\n{cell(concerned)}",
        "who and why": f"{act['operator']}\n{act['why']}\n{act['act_id']}",
        "answers": "\n".join(answers) or "none",
    }
