"""``tradetrail report …``: the audit database's answers, from the same queries as the HTTP API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from tradetrail.errors import UsageError
from tradetrail.reports.connection import DatabaseSettings, open_reader
from tradetrail.reports.encode import plain, to_json
from tradetrail.reports.export import to_csv, to_parquet
from tradetrail.reports.symbol import By, symbol_report, symbol_span
from tradetrail.sessions import NEW_YORK
from tradetrail.settings import load
from tradetrail.stack.running import running_env

# What the tables on a terminal show of each section; the other formats give everything.
_SHOWN = {
    "data_ingested": (
        *("disclosed_on", "transaction_date", "politician", "insider", "transaction_type"),
        *("ingested_at", "withdrawn_at", "moved_to_symbol"),
    ),
    "decisions_made": ("created_at", "strategy", "side", "quantity", "status", "failure_reason"),
    "declined": ("created_at", "strategy", "side", "reason", "reason_text"),
    "trades_executed": ("filled_at", "side", "quantity", "filled_avg_price", "decision_id"),
}
_PIPE_COLUMNS = 160


class ReportFormat(StrEnum):
    """How to print a report."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add the group ``report``."""
    group = typer.Typer(no_args_is_help=True, help="Reports from the audit database.")
    group.callback()(_group)
    group.command(
        epilog="Examples: `tradetrail report symbol AAPL --from 2020-01-01 --to 2020-12-31`; "
        "`tradetrail report symbol MSFT --format csv > msft.csv`"
    )(symbol)
    app.add_typer(group, name="report")


def _group() -> None:
    """Reports from the audit database."""


def symbol(
    name: Annotated[str, typer.Argument(metavar="SYMBOL", help="such as AAPL or BRK.B")],
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="first day, YYYY-MM-DD, New York")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="last day, inclusive")
    ] = None,
    by: Annotated[
        By, typer.Option("--by", help="which day of a disclosure the period applies to")
    ] = By.REPORTED,
    form: Annotated[ReportFormat, typer.Option("--format", help="form of the output")] = (
        ReportFormat.TABLE
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="write to this file instead of stdout")
    ] = None,
) -> None:
    """All activity of a symbol in a period: data ingested, decisions, declined signals, trades.

    Without a period: over everything that is recorded about it.
    """
    start, end = _day("--from", first), _day("--to", last)
    with _reader() as connection:
        span = symbol_span(connection, name)
        if span is None:
            raise UsageError(f"nothing is recorded about {name.upper()}; check the symbol")
        begin = start or min(span[0], end or span[0])
        report = symbol_report(connection, name, begin, end or max(span[1], begin), by)
    show_symbol_report(report, form, output)


def show_symbol_report(
    report: dict[str, Any], form: ReportFormat, output: Path | None = None
) -> None:
    """Print a symbol report to stdout or into a file."""
    if form is ReportFormat.PARQUET and output is None and sys.stdout.isatty():
        raise UsageError(
            "Parquet is no text for a terminal: add -o FILE, or send it into a file or pipe"
        )
    if form is ReportFormat.TABLE and output is None:
        # A pipe has no width of its own; 160 columns keep a row on a line.
        print_symbol_report(report, Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS))
    else:
        _write(_rendered(report, form), output)


def print_symbol_report(report: dict[str, Any], console: Console) -> None:
    """Print a symbol report as tables for people; times are New York's."""
    period = report["period"]
    console.print(f"[bold]{report['symbol']}[/] from {period['from']} to {period['to']}")
    for section, columns in _SHOWN.items():
        rows = report[section]
        title = section.replace("_", " ")
        if not rows:
            console.print(f"\n{title}: none")
            continue
        shown = [c for c in columns if any(row[c] is not None for row in rows)]
        table = Table(title=f"{title}: {len(rows)}", title_justify="left", box=None)
        for column in shown:
            numeric = isinstance(next(r[column] for r in rows if r[column] is not None), Decimal)
            table.add_column(column.replace("_", " "), justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*(_cell(row[column]) for column in shown))
        console.print()
        console.print(table)
    console.print()
    for name, sums in report["summary"].items():
        text = ", ".join(f"{key.replace('_', ' ')} {_cell(value)}" for key, value in sums.items())
        console.print(f"{name}: {text}")


def _rendered(report: dict[str, Any], form: ReportFormat) -> bytes:
    if form is ReportFormat.PARQUET:
        return to_parquet(report)
    if form is ReportFormat.CSV:
        return to_csv(report).encode()
    if form is ReportFormat.JSON:
        return f"{to_json(report, indent=2)}\n".encode()
    console = Console(width=_PIPE_COLUMNS, record=True, quiet=True)
    print_symbol_report(report, console)
    return console.export_text().encode()


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UsageError(f"can't write {output}: {error.strerror}") from error


@contextmanager
def _reader() -> Iterator[psycopg.Connection[Any]]:
    settings = load(DatabaseSettings)
    dsn = settings.postgres_dsn.get_secret_value()
    if "postgres_dsn" not in settings.model_fields_set:
        # No address given: the local stack's, if one runs here.
        dsn = (running_env() or {}).get("TRADETRAIL_POSTGRES_DSN", dsn)
    with open_reader(dsn, settings.postgres_schema) as connection:
        yield connection


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is no day ({error}); give it as YYYY-MM-DD, such as 2020-12-31"
        ) from error


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M")
    return str(value)
