"""What every report command takes: a period, a form, a file; and where it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from tradetrail.arguments import day_of
from tradetrail.cli.report.output import ReportFormat
from tradetrail.events.generated import Side
from tradetrail.reports.connection import DatabaseSettings, open_reader
from tradetrail.reports.paging import LIMIT_DEFAULT, LIMIT_MAX
from tradetrail.settings import load
from tradetrail.stack.running import running_env

First = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="first day, YYYY-MM-DD, New York")
]
Last = Annotated[str | None, typer.Option("--to", metavar="DAY", help="last day, inclusive")]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", min=1, max=LIMIT_MAX, help=f"rows on a page; {LIMIT_DEFAULT} without it"
    ),
]
LimitOfEach = Annotated[
    int | None,
    typer.Option(
        "--limit", min=1, max=LIMIT_MAX, help=f"rows of each list; {LIMIT_MAX} without it"
    ),
]
After = Annotated[
    str | None, typer.Option("--after", metavar="CURSOR", help="the `next` of the page before")
]
Every = Annotated[
    bool,
    typer.Option(
        "--all", help="every row that the filters let through, not a page; as json, csv or parquet"
    ),
]
OfSymbol = Annotated[str | None, typer.Option("--symbol", help="only this symbol, such as MSFT")]
OfStrategy = Annotated[
    str | None,
    typer.Option("--strategy", help="only this one, such as CongressionalTradingStrategy"),
]
OfSide = Annotated[Side | None, typer.Option("--side", help="only this side")]
Form = Annotated[ReportFormat, typer.Option("--format", help="form of the output")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="write to this file instead of stdout")
]


def period(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """Return the days that ``--from`` and ``--to`` name. Raises UsageError for what is no day."""
    return day_of("--from", first), day_of("--to", last)


@contextmanager
def reader() -> Iterator[psycopg.Connection[Any]]:
    """Open the audit database that the environment names, or else the local stack's."""
    settings = load(DatabaseSettings)
    dsn = settings.postgres_dsn.get_secret_value()
    if "postgres_dsn" not in settings.model_fields_set:
        # No address given: the local stack's, if one runs here.
        dsn = (running_env() or {}).get("TRADETRAIL_POSTGRES_DSN", dsn)
    with open_reader(dsn, settings.postgres_schema) as connection:
        yield connection
