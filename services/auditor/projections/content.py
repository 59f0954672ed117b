"""Reads an event's content for the projections, and makes rows of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any

from services.auditor.entry import Entry
from services.auditor.rows import Change, Group, Table

Said = dict[str, Any]
"""What an event says by field, and where it stands by column. No field of an event has the name of such a column."""


def content(entry: Entry) -> Said:
    """Return what an event says and where it stands; it is the caller's, to add to."""
    if entry.decoded is None:
        raise ValueError(f"the event at {entry.place} was not decoded")
    return entry.decoded.datum | entry.position()


def shape(table: Table, group: Group, **renamed: str) -> Callable[[Said], Change]:
    """Return what makes a change of ``group``: each column of the field with its name, or with the name given here.

    Taken all at once: rows are made by the million, and looking up each value by itself takes several times as long.
    """
    values = itemgetter(*(renamed.get(column, column) for column in _columns(table, group)))

    def shaped(said: Said) -> Change:
        return Change(table, group, values(said))

    return shaped


def sparse(table: Table, group: Group, values: Said) -> Change:
    """Return a change with ``values`` by column; columns that are not among them are NULL."""
    return Change(table, group, tuple(map(values.get, _columns(table, group))))


@cache
def _columns(table: Table, group: Group) -> tuple[str, ...]:
    return (*table.key, *group.columns)


def known(text: str | None) -> str | None:
    """Return ``text``, or None for the empty string: an empty id names nothing."""
    return text or None
