"""What a batch's transaction sends to the database, made from its events before the transaction begins. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.auditor.entry import Entry
from services.auditor.event_rows import HEADER, TRAILER, event_rows
from services.auditor.lines import lines
from services.auditor.projections import project
from services.auditor.rows import Table, add_stubs, fold
from services.auditor.tables import TABLES

# Sent at once: large enough that calls don't count, small enough to be joined without a second copy of the batch.
_BLOCK_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class TableRows:
    """Lines of a table: rows that events told of, and stubs, parents that only their children name."""

    table: Table
    told: bytes
    stubs: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch as COPY takes it: parts of the rows of ``events``, lines of the typed tables, parents first."""

    events: list[bytes]
    tables: list[TableRows]

    def event_blocks(self) -> Iterator[bytes]:
        """Yield the binary COPY of the events in blocks."""
        parts, size = [HEADER], 0
        for part in self.events:
            parts.append(part)
            size += len(part)
            if size >= _BLOCK_BYTES:
                yield b"".join(parts)
                parts, size = [], 0
        yield b"".join((*parts, TRAILER))


def prepare(entries: Sequence[Entry]) -> Prepared:
    """Project, fold and write out ``entries``. Raises NotStorable when one of them says what no table can hold."""
    folded = fold(project(entries))
    add_stubs(folded, TABLES)
    tables = []
    for name, table in TABLES.items():
        if rows := folded.pop(name, None):
            known = len(table.key)
            told = lines(table, (row for row in rows.values() if len(row) > known))
            stubs = lines(table, (row for row in rows.values() if len(row) == known))
            tables.append(TableRows(table, told, stubs))
    return Prepared(list(event_rows(entries)), tables)
