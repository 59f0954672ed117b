"""Puts a listing out: a page of it, or all its rows as a file, with a bar that tells how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from tradetrail.cli.report.options import reader
from tradetrail.cli.report.output import Printer, ReportFormat, check_form, show_page, talk
from tradetrail.cli.report.progress import showing
from tradetrail.cli.report.whole_file import whole_file
from tradetrail.errors import UsageError
from tradetrail.reports.export import FileForm, OpenWhole
from tradetrail.reports.listing import Listing
from tradetrail.reports.paging import LIMIT_DEFAULT

Chosen = TypeVar("Chosen")


@dataclass(frozen=True, slots=True)
class Asked:
    """How much of a listing, in which form, and where to."""

    limit: int | None
    after: str | None
    every: bool
    form: ReportFormat
    output: Path | None


def put_out(
    listing: Listing[Chosen], chosen: Chosen, asked: Asked, printer: Printer
) -> dict[str, Any]:
    """Put a page of ``listing`` out, or every row; return what it says besides its rows.

    Raises UsageError for words that don't go together, and for a file that can't be written.
    """
    if asked.every:
        return every_row(listing.name, lambda connection: listing.export(connection, chosen), asked)
    with reader() as connection:
        report = listing.report(connection, chosen, asked.limit or LIMIT_DEFAULT, asked.after)
    show_page(
        report, asked.form, asked.output, what=listing.name, printer=printer, sheet=listing.sheet
    )
    return report


def every_row(name: str, open_whole: OpenWhole, asked: Asked) -> dict[str, Any]:
    """Put all rows of the report ``name`` out, with a bar; return what it says besides its rows.

    Raises as ``put_out`` does.
    """
    if asked.form is ReportFormat.TABLE:
        raise UsageError("--all is for machines: add --format csv, json or parquet")
    if asked.limit is not None or asked.after is not None:
        raise UsageError("--all has no pages: leave --limit and --after out")
    check_form(asked.form, asked.output)
    same_terminal = asked.output is None and sys.stdout.isatty()
    with (
        _target(asked.output) as file,
        reader() as connection,
        open_whole(connection) as export,
        showing(lines_only=same_terminal) as bars,
        bars.bar(name.replace("_", " "), export.rows_total) as moved,
    ):
        for part in export.parts(FileForm(asked.form.value)):
            file.write(part)
            moved(export.rows_done, f"{export.rows_done:,} of {export.rows_total:,} rows")
    if asked.output is not None:
        talk(f"{export.rows_done:,} rows in {asked.output}")
    return export.head


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    if output is not None:
        with whole_file(output) as file:
            yield file
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
