"""Sections of a report as tables for people: times in New York, columns without a value left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tradetrail.reports.encode import plain
from tradetrail.sessions import NEW_YORK

# Below this a row of a listing has several lines, so that no text is squeezed into a column of a few letters.
WIDE_COLUMNS = 150


def print_line(console: Console, text: str) -> None:
    """Print a line as it is, never cut or wrapped."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_section(
    console: Console,
    title: str,
    rows: list[dict[str, Any]],
    columns: Iterable[str],
    whole: Collection[str] = (),
    total: int | None = None,
) -> None:
    """Print ``rows`` under ``title`` and their number; numbers, and the columns ``whole``, are never cut or wrapped.

    ``total`` says how many there are on all pages.
    """
    title = title.replace("_", " ")
    of_all = "" if total in (None, len(rows)) else f" of {total}"
    if not rows:
        console.print(f"\n{title}: none{of_all and f'{of_all} on this page'}")
        return
    shown = [c for c in columns if any(row[c] is not None for row in rows)]
    table = Table(
        title=f"{title}: {len(rows)}{of_all}", title_justify="left", box=None, pad_edge=False
    )
    for column in shown:
        value = next(row[column] for row in rows if row[column] is not None)
        numeric = isinstance(value, Decimal | int)
        table.add_column(
            column.replace("_", " "),
            justify="right" if numeric else "left",
            no_wrap=numeric or column in whole,
            overflow="fold",
        )
    for row in rows:
        # As text: what a vendor or an error says is no markup.
        table.add_row(*(Text(cell(row[column])) for column in shown))
    console.print()
    console.print(table)


def print_sums(console: Console, name: str, sums: Mapping[str, Any]) -> None:
    """Print a line of named sums."""
    text = ", ".join(f"{key.replace('_', ' ')} {cell(value)}" for key, value in sums.items())
    console.print(f"{name}: {text}")


def cell(value: Any) -> str:
    """Return a value as a table shows it; a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M")
    return str(value)
