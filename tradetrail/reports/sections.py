"""A report of several lists: in pages, some rows of each and one cursor for those that go on; or whole, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tradetrail.reports.export import FileForm, csv_parts, json_lists, parquet_parts
from tradetrail.reports.paging import check_limit
from tradetrail.reports.queries import many_rows, row_parts
from tradetrail.reports.section_cursor import Key, read_cursor, write_cursor

Report = dict[str, Any]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A list: its query, and of a row the values that its order is by, by the names of the query's arguments.

    ``readers`` read those values from a cursor. Without them, all null, the query begins with the first row; it gives
    ``rows_max`` rows at most. Of its columns those ``only_order`` are no part of the report; ``columns`` are those that
    it is by, where they are to be put into its text.
    """

    query: str
    key: Callable[[Report], Key]
    readers: Mapping[str, Callable[[str], Any]]
    only_order: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def beginning(self) -> Key:
        """Return where its first page begins."""
        return dict.fromkeys(self.readers)

    def page(
        self, connection: Connection, arguments: Mapping[str, Any], begin: Key, limit: int
    ) -> tuple[list[Report], Key | None]:
        """Return ``limit`` rows behind ``begin``, and where the next page begins, None on the last.

        Raises UsageError for a limit out of bounds.
        """
        asked = {**arguments, **begin, "rows_max": check_limit(limit) + 1}
        found = list(many_rows(connection, self.query, asked, **self.columns))
        shown = found[:limit]
        following = self.key(shown[-1]) if len(found) > limit else None
        return self._told(shown), following

    def parts(
        self, connection: Connection, arguments: Mapping[str, Any], part_rows: int
    ) -> Iterator[list[Report]]:
        """Yield all rows, ``part_rows`` at a time, within the transaction under way."""
        asked = {**arguments, **self.beginning}
        for part in row_parts(connection, self.query, asked, part_rows):
            yield self._told(part)

    def _told(self, found: list[Report]) -> list[Report]:
        for row in found:
            for name in self.only_order:
                del row[name]
        return found


def begins_of(sections: Mapping[str, Section], after: str | None) -> dict[str, Key]:
    """Return where the lists of a page begin, by name; a list that was complete on the page before is left out.

    ``after`` is the cursor of that page, None for the first page. Raises UsageError for what is no cursor of these.
    """
    if after is None:
        return {name: each.beginning for name, each in sections.items()}
    return read_cursor(after, {name: each.readers for name, each in sections.items()})


def page_of_each(
    connection: Connection,
    sections: Mapping[str, Section],
    arguments: Mapping[str, Any],
    begins: Mapping[str, Key],
    limit: int,
) -> tuple[dict[str, list[Report]], str | None]:
    """Return ``limit`` rows of each list from where it begins, and the cursor of the next page, None on the last.

    A list that does not begin has no rows. Raises UsageError for a limit out of bounds.
    """
    lists: dict[str, list[Report]] = {name: [] for name in sections}
    keys: dict[str, Key] = {}
    for name, begin in begins.items():
        lists[name], following = sections[name].page(connection, arguments, begin, limit)
        if following is not None:
            keys[name] = following
    return lists, write_cursor(keys)


def flat_rows(lists: Mapping[str, Iterable[Report]]) -> Iterator[Report]:
    """Yield the rows of one list after the other, each with its list's name."""
    for name, found in lists.items():
        for row in found:
            yield {"section": name, **row}


class WholeSections:
    """All rows of a report's lists, to be gone through once."""

    def __init__(
        self,
        head: Report,
        columns: tuple[str, ...],
        lists: Mapping[str, Iterable[list[Report]]],
        rows_total: int,
    ) -> None:
        """Give the pages of ``lists`` under ``head``; ``columns`` are those of the flat forms."""
        self.head = head
        self.rows_total = rows_total
        self.rows_done = 0
        self._columns = columns
        self._lists = lists

    def parts(self, form: FileForm) -> Iterator[bytes]:
        """Yield all rows in the form that a page has them in, part by part."""
        match form:
            case FileForm.JSON:
                lists = ((name, self._counted(pages)) for name, pages in self._lists.items())
                return json_lists({**self.head, "next": None}, lists)
            case FileForm.CSV:
                return csv_parts(self._columns, self._flat())
            case FileForm.PARQUET:
                return parquet_parts(self._columns, self._flat())

    def _counted(self, pages: Iterable[list[Report]]) -> Iterator[list[Report]]:
        for page in pages:
            yield page
            self.rows_done += len(page)

    def _flat(self) -> Iterator[list[Report]]:
        for name, pages in self._lists.items():
            for page in self._counted(pages):
                yield list(flat_rows({name: page}))
