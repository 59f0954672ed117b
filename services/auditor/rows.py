"""Rows of the typed tables, and how several events make one row whatever order they arrive in.

A row's columns come in groups. Each group is written by one kind of event and carries the position of the event that
wrote it (its guard): in a "first" group the lowest position wins, in a "last" group the highest. So folding the same
events again, in other batches or with other partitions interleaved, gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PLACE = ("topic", "partition", "offset")
POSITION = ("event_id", *PLACE, "available_at")

Values = dict[str, Any]
Folded = dict[str, dict[tuple[Any, ...], Values]]


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that one kind of event writes together.

    ``sticky`` columns of a "last" group keep their value when a later event has none.
    """

    guard: tuple[str, ...]
    columns: tuple[str, ...]
    keep: Literal["first", "last"] = "first"
    sticky: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: a parent that hasn't come yet gets a stub row of its key alone."""

    columns: tuple[str, ...]
    parent: str


@dataclass(frozen=True, slots=True)
class Table:
    """A typed table as the writer sees it."""

    name: str
    key: tuple[str, ...]
    groups: tuple[Group, ...]
    references: tuple[Reference, ...] = ()
    columns: tuple[str, ...] = field(init=False)
    """Every column, the key first."""

    def __post_init__(self) -> None:
        """Put the columns together once."""
        told = (column for group in self.groups for column in group.columns)
        object.__setattr__(self, "columns", (*self.key, *told))


@dataclass(frozen=True, slots=True)
class Change:
    """What one event says about one row: the key's columns and those of ``group``, with values."""

    table: Table
    group: Group
    values: Values


def fold(changes: Iterable[Change], into: Folded | None = None) -> Folded:
    """Return one row per table and key out of ``changes``, merged into those that are known.

    A change's values become its row's: they are nobody else's after this.
    """
    folded: Folded = {} if into is None else into
    for change in changes:
        table, values = change.table, change.values
        rows = folded.get(table.name)
        if rows is None:
            rows = folded[table.name] = {}
        key = tuple([values[column] for column in table.key])
        row = rows.get(key)
        if row is None:
            rows[key] = values
        else:
            _merge(row, change.group, values)
    return folded


def _merge(row: Values, group: Group, values: Values) -> None:
    new = tuple(values[column] for column in group.guard)
    if row.get(group.guard[-1]) is not None:
        old = tuple(row[column] for column in group.guard)
        if new == old or (new > old) is (group.keep == "first"):
            return
    for column in group.columns:
        value = values.get(column)
        if value is not None or column not in group.sticky or column not in row:
            row[column] = value


def add_stubs(folded: Folded, tables: Mapping[str, Table]) -> None:
    """Add a row of its key alone for every parent that ``folded`` refers to. ``tables`` come parents first."""
    for table in reversed(list(tables.values())):
        rows = folded.get(table.name)
        if not rows:
            continue
        for reference in table.references:
            parent = tables[reference.parent]
            parents = folded.setdefault(parent.name, {})
            columns = reference.columns
            # Each once, in order: most rows of a batch have few parents.
            found = dict.fromkeys(tuple(map(row.get, columns)) for row in rows.values())
            for key in found:
                if key not in parents and None not in key:
                    parents[key] = dict(zip(parent.key, key, strict=True))
