"""Puts a report out in the form that was asked for, to stdout or into a file."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.console import Console

from tradetrail.cli.report.whole_file import whole_file
from tradetrail.errors import UsageError
from tradetrail.reports.encode import to_json
from tradetrail.reports.export import Sheet, to_csv, to_parquet

# A pipe has no width of its own; 160 columns keep a row on a line.
_PIPE_COLUMNS = 160

Printer = Callable[[dict[str, Any], Console], None]
"""Prints a report for people."""


class ReportFormat(StrEnum):
    """How to print a report."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


def check_form(form: ReportFormat, output: Path | None) -> None:
    """Raise UsageError for Parquet on a terminal; for what takes long, before it begins."""
    if form is ReportFormat.PARQUET and output is None and sys.stdout.isatty():
        raise UsageError(
            "Parquet is no text for a terminal: add -o FILE, or send it into a file or pipe"
        )


def show(
    report: dict[str, Any],
    form: ReportFormat,
    output: Path | None,
    *,
    printer: Printer,
    sheet: Callable[[dict[str, Any]], Sheet],
) -> None:
    """Put ``report`` out: as tables by ``printer``, as flat rows by ``sheet``, or as JSON.

    Raises UsageError for a file that can't be written, and for Parquet on a terminal.
    """
    check_form(form, output)
    if form is ReportFormat.TABLE and output is None:
        printer(report, Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS))
    elif form is ReportFormat.TABLE:
        text = io.StringIO()
        printer(report, Console(width=_PIPE_COLUMNS, file=text))
        _write(text.getvalue().encode(), output)
    elif form is ReportFormat.JSON:
        _write(f"{to_json(report, indent=2)}\n".encode(), output)
    elif form is ReportFormat.CSV:
        _write(to_csv(sheet(report)).encode(), output)
    else:
        _write(to_parquet(sheet(report)), output)


def show_page(
    report: dict[str, Any],
    form: ReportFormat,
    output: Path | None,
    *,
    what: str,
    printer: Printer,
    sheet: Callable[[dict[str, Any]], Sheet],
) -> None:
    """Put a page of a listing out as ``show`` does; the next page's cursor, which only JSON holds, goes to stderr.

    ``what`` is the key of the page's rows, and of their number in the totals.
    """
    show(report, form, output, printer=printer, sheet=sheet)
    if report["next"] and form is not ReportFormat.JSON:
        talk(
            f"{len(report[what])} of {report['totals'][what]} {what}; "
            f"the next page: --after {report['next']}"
        )


def show_lists(
    report: dict[str, Any],
    form: ReportFormat,
    output: Path | None,
    *,
    printer: Printer,
    sheet: Callable[[dict[str, Any]], Sheet],
) -> None:
    """Put a page of a report of several lists out as ``show_page`` does."""
    show(report, form, output, printer=printer, sheet=sheet)
    if report["next"] and form is not ReportFormat.JSON:
        talk(f"the lists go on; the next page: --after {report['next']}")


def talk(text: str) -> None:
    """Tell the person at the terminal something that is no part of the report: on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    with whole_file(output) as file:
        file.write(content)
