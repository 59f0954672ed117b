"""Rows of the typed tables, and how several events make one row whatever order they arrive in.

A row's columns come in groups. Each group is written by one kind of event and carries the position of the event that
wrote it (its guard): in a "first" group the lowest position wins, in a "last" group the highest. So folding the same
events again, in other batches or with other partitions interleaved, gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple

PLACE = ("topic", "partition", "offset")
POSITION = ("event_id", *PLACE, "available_at")

Values = tuple[Any, ...]
Row = list[Any] | Values
"""A row's values in the order of its table's columns."""
Key = tuple[Any, ...]
Folded = dict[str, dict[Key, Row]]


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A typed table as the writer sees it."""

    name: str
    key: tuple[str, ...]
    groups: tuple[Group, ...]
    references: tuple[Reference, ...] = ()
    columns: tuple[str, ...] = field(init=False)
    """Every column, the key first, then group by group."""

    def __post_init__(self) -> None:
        """Put the columns together once."""
        told = (column for group in self.groups for column in group.columns)
        object.__setattr__(self, "columns", (*self.key, *told))


@dataclass(slots=True)
class Change:
    """What one event says about one row: the values of the key's columns and of those of ``group``, in their order."""

    table: Table
    group: Group
    values: Values


def fold(changes: Iterable[Change], into: Folded | None = None) -> Folded:
    """Return one row per table and key out of ``changes``, merged into those that are known."""
    folded: Folded = {} if into is None else into
    for change in changes:
        table, values = change.table, change.values
        rows = folded.get(table.name)
        if rows is None:
            rows = folded[table.name] = {}
        key = values[: len(table.key)]
        row = rows.get(key)
        if row is not None:
            rows[key] = _merged(row, change)
        elif len(table.groups) == 1:
            rows[key] = values
        else:
            span = _span(table, change.group)
            rows[key] = [*key, *span.before, *values[len(key) :], *span.after]
    return folded


def _merged(row: Row, change: Change) -> Row:
    """Return ``row`` with what ``change`` says, where that counts; a list may be changed in place."""
    span = _span(change.table, change.group)
    told = change.values[len(change.table.key) :]
    new = [told[place - span.begin] for place in span.guard]
    if row[span.guard[-1]] is not None:
        old = [row[place] for place in span.guard]
        if new == old or (new > old) is (change.group.keep == "first"):
            return row
    merged = row if isinstance(row, list) else list(row)
    for place, value in enumerate(told, span.begin):
        if value is not None or place not in span.sticky:
            merged[place] = value
    return merged


class _Span(NamedTuple):
    """Where a group stands within a row, with the places of its guard and of its sticky columns.

    ``before`` and ``after``: a NULL for each column of other groups.
    """

    begin: int
    guard: list[int]
    sticky: frozenset[int]
    before: Values
    after: Values


@cache
def _span(table: Table, group: Group) -> _Span:
    at = {column: place for place, column in enumerate(table.columns)}
    begin = at[group.columns[0]]
    return _Span(
        begin,
        [at[column] for column in group.guard],
        frozenset(at[column] for column in group.sticky),
        (None,) * (begin - len(table.key)),
        (None,) * (len(table.columns) - begin - len(group.columns)),
    )


def stubs(folded: Folded, tables: Mapping[str, Table]) -> dict[str, list[Key]]:
    """Return, by table, the keys of parents that ``folded`` refers to and has not. ``tables`` come parents first."""
    found: dict[str, dict[Key, None]] = {name: {} for name in tables}
    for table in reversed(list(tables.values())):
        rows = folded.get(table.name, {})
        for reference in table.references:
            parents, missing = folded.get(reference.parent, {}), found[reference.parent]
            places = [table.columns.index(column) for column in reference.columns]
            named = _named(rows.values(), places)
            if max(places) < len(table.key):
                # A stub says nothing but its key.
                named |= _named(found[table.name], places)
            for key in named:
                if key not in parents and None not in key:
                    missing[key] = None
    return {name: list(keys) for name, keys in found.items() if keys}


def _named(rows: Iterable[Row], places: Sequence[int]) -> dict[Key, None]:
    """Return the values of some columns, each once, in order: most rows of a batch have few parents."""
    if len(places) == 1:
        [place] = places
        return dict.fromkeys((row[place],) for row in rows)
    return dict.fromkeys(map(itemgetter(*places), rows))
