"""The typed tables against what the log gives: projected again into a schema beside the live one, then compared.

The scratch schema is filled up to the captured positions. Then one snapshot is taken in which both schemas and the live
positions are seen as of the same moment: what the live auditor wrote between the two positions is told apart by the
guards of the column groups (``excuses``). Nothing is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from services.auditor.rows import Table
from services.auditor.tables import TABLES
from services.auditor.verify.excuses import Excuses
from services.auditor.verify.findings import TEXT_LENGTH_MAX, Code, Finding, Findings
from services.auditor.verify.rows_sql import Key, Side

# Live rows that one statement joins with their projection: within the server's working memory, about a second each.
RANGE_ROWS = 20_000
# Rows of one range that are told one by one, at most; all are counted.
_TOLD_MAX = 1_000


@dataclass(slots=True)
class TableTally:
    """What was compared of a table."""

    table: str
    rows: int = 0
    missing: int = 0
    extra: int = 0
    differing: int = 0


def compare_table(
    connection: psycopg.Connection[Any],
    side: Side,
    excuses: Excuses,
    findings: Findings,
    moved: Callable[[int], None],
) -> TableTally:
    """Compare one table, range by range of its key; every row that differs is counted, as many as fit are told."""
    tally = TableTally(side.table.name)
    after: Key = None
    while True:
        last: Key = connection.execute(*side.range_end(after, RANGE_ROWS)).fetchone()
        arguments = {**excuses.arguments, **side.bounds(after, last)}
        row = connection.execute(side.counts(after, last), arguments).fetchone()
        rows, missing, extra, differing = row or (0, 0, 0, 0)
        tally.rows += rows
        tally.missing += missing
        tally.extra += extra
        tally.differing += differing
        if missing + extra + differing:
            told = _tell(connection, side, side.found(after, last), arguments, findings)
            for code, number in (
                (Code.ROW_MISSING, missing),
                (Code.ROW_EXTRA, extra),
                (Code.ROW_DIFFERS, differing),
            ):
                findings.count(code, number - told.count(code))
        moved(tally.rows)
        if last is None:
            return tally
        after = last


def tables() -> Sequence[Table]:
    """Return the tables in the order in which they are compared, parents first."""
    return list(TABLES.values())


def _tell(
    connection: psycopg.Connection[Any],
    side: Side,
    query: Any,
    arguments: dict[str, Any],
    findings: Findings,
) -> list[Code]:
    limit = min(findings.room, _TOLD_MAX)
    codes = []
    for no_left, no_right, groups, *key in connection.execute(query, {**arguments, "limit": limit}):
        named = ", ".join(f"{n}={v}" for n, v in zip(side.table.key, key, strict=True))
        if no_left:
            found = _row(Code.ROW_MISSING, side, named, "such a row", "none")
        elif no_right:
            found = _row(Code.ROW_EXTRA, side, named, "no such row", "one")
        else:
            found = _differing(connection, side, groups, key, named)
        findings.add(found)
        codes.append(found.code)
    return codes


def _row(code: Code, side: Side, key: str, log: str, database: str) -> Finding:
    return Finding(code, table=side.table.name, key=key, log=log, database=database)


def _differing(
    connection: psycopg.Connection[Any],
    side: Side,
    groups: Sequence[bool],
    key: Sequence[Any],
    named: str,
) -> Finding:
    judged = [
        column
        for group, differs in zip(side.table.groups, groups, strict=True)
        for column in group.columns
        if differs
    ]
    wanted = {f"key_{n}": value for n, value in enumerate(key)}
    rows = connection.execute(side.texts(judged, TEXT_LENGTH_MAX), wanted).fetchall()
    _, column, ours, theirs = rows[0]
    others = [name for _, name, *_ in rows[1:]]
    return Finding(
        Code.ROW_DIFFERS,
        table=side.table.name,
        key=named,
        column=column,
        log="none" if theirs is None else theirs,
        database="none" if ours is None else ours,
        explanation=f"also {', '.join(others)}" if others else None,
    )
