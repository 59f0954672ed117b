"""``tradetrail report reads``: which reports were read under the compliance role."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.listings import Asked, put_out
from tradetrail.cli.report.options import After, Every, First, Form, Last, Limit, Output, period
from tradetrail.cli.report.output import ReportFormat
from tradetrail.cli.report.tables import cell, print_section, print_sums
from tradetrail.events.generated import ReadOutcome
from tradetrail.reports.encode import to_json
from tradetrail.reports.reads import READS, ReadFilter

_SHOWN = ("read_at", "reader", "report", "answer")


def reads(
    first: First = None,
    last: Last = None,
    who: Annotated[str | None, typer.Option("--reader", help="only what this person read")] = None,
    report: Annotated[
        str | None, typer.Option("--report", help="only this report, such as executed")
    ] = None,
    outcome: Annotated[
        ReadOutcome | None, typer.Option("--outcome", help="only reads that ended so")
    ] = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """Which reports were read under the compliance role: who, when, what was asked, and how many rows were answered.

    Newest first. A period counts the day in New York of the read; without one, all of them. Reads by the command line
    are not among them: who may use it has the database itself.
    """
    start, end = period(first, last)
    chosen = ReadFilter(start=start, end=end, reader=who, report=report, outcome=outcome)
    put_out(READS, chosen, Asked(limit, after, every, form, output), print_reads_report)


def print_reads_report(report: dict[str, Any], console: Console) -> None:
    """Print a page of reads as a table for people; times are New York's."""
    print_section(
        console, "reads", [_row(read) for read in report["reads"]], _SHOWN, whole=_SHOWN[:1]
    )
    console.print()
    totals = report["totals"]
    print_sums(console, "totals", {"reads": totals["reads"], **totals["readers"]})


def _row(read: dict[str, Any]) -> dict[str, Any]:
    expected = f" of {read['rows_expected']}" if read["rows_expected"] is not None else ""
    return {
        "read_at": read["read_at"],
        "reader": read["reader"],
        "report": f"{read['report']}\n{to_json(read['arguments'])}",
        "answer": f"{read['outcome']}\n{cell(read['rows'])}{expected} rows as {cell(read['format'])}",
    }
