"""What a batch's transaction sends to the database, made from its events before the transaction begins. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.auditor.entry import Entry
from services.auditor.projections import project
from services.auditor.rows import Folded, Table, fold, stubs
from services.auditor.tables import TABLES
from services.auditor.writing.event_rows import HEADER, TRAILER, event_row
from services.auditor.writing.lines import lines

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


class Preparation:
    """Makes a batch ready entry by entry, so that what an entry says needn't be kept."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._folded: Folded = {}
        self._events: list[bytes] = []

    def add(self, entry: Entry) -> None:
        """Project, fold and write out an entry. Raises NotStorable when it says what no table can hold."""
        fold(project((entry,)), self._folded)
        self._events += event_row(entry)

    def done(self) -> Prepared:
        """Return all of it; nothing can be added after that. Raises NotStorable."""
        parents = stubs(self._folded, TABLES)
        tables = []
        for name, table in TABLES.items():
            told = lines(self._folded.pop(name, {}).values())
            untold = (None,) * (len(table.columns) - len(table.key))
            only_named = lines((*key, *untold) for key in parents.get(name, ()))
            if told or only_named:
                tables.append(TableRows(table, told, only_named))
        return Prepared(self._events, tables)


def prepare(entries: Iterable[Entry]) -> Prepared:
    """Return ``entries`` as they are sent. Raises NotStorable when one of them says what no table can hold."""
    preparation = Preparation()
    for entry in entries:
        preparation.add(entry)
    return preparation.done()
