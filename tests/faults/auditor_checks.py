"""What must hold of an audit database: it is the log, once, and its rows are those of an undisturbed auditor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tests.faults.auditor_log import RawLog
from tests.faults.plain_log import Place

# What is told of each kind of violation; a lost partition would be a thousand lines.
_TOLD_MAX = 3
# Tables whose rows are compared otherwise, or say nothing of the log.
_APART = ("positions", "schema_version")

_EVENTS: LiteralString = 'SELECT topic, partition, "offset", hash FROM {}.events ORDER BY 1, 2, 3'
_POSITIONS: LiteralString = "SELECT topic, partition, next_offset FROM {}.positions"
_LETTERS: LiteralString = (
    "SELECT source_topic, source_partition, source_offset, occurred_at IS NOT NULL "
    "FROM {}.dead_letters"
)
_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND NOT relispartition "
    "AND relkind IN ('r', 'p') ORDER BY 1"
)
# The sum of the rows' hashes is the same in whatever order they stand.
_DIGEST: LiteralString = (
    "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {} AS t"
)
_ALONE: LiteralString = (
    "SELECT left(row, 300) FROM (SELECT t::text AS row FROM {one} AS t "
    "EXCEPT ALL SELECT t::text FROM {other} AS t) AS alone ORDER BY 1 LIMIT 1"
)

Connection = psycopg.Connection[Any]
Letter = tuple[str, int, int]
"""Where an event stands that went to dead letters."""


@dataclass
class Audited:
    """What a database holds of the log. ``letters``: source → whether its own event was seen."""

    events: dict[Place, list[tuple[int, bytes]]] = field(default_factory=dict)
    positions: dict[Place, int] = field(default_factory=dict)
    letters: list[tuple[Letter, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Digest:
    """A table's number of rows, and the sum of their hashes."""

    rows: int
    hashes: Decimal


def audited(connection: Connection, schema: str) -> Audited:
    """Read what a database holds."""
    found, name = Audited(), sql.Identifier(schema)
    for topic, partition, offset, digest in connection.execute(sql.SQL(_EVENTS).format(name)):
        found.events.setdefault((topic, partition), []).append((offset, bytes(digest)))
    for topic, partition, offset in connection.execute(sql.SQL(_POSITIONS).format(name)):
        found.positions[topic, partition] = offset
    for topic, partition, offset, seen in connection.execute(sql.SQL(_LETTERS).format(name)):
        found.letters.append(((topic, partition, offset), seen))
    return found


def violations_of(log: RawLog, found: Audited, poison: Sequence[Letter]) -> list[str]:
    """Return where a database is not the log; ``poison`` stands where nobody can read or keep an event."""
    return [
        *_event_violations(log.hashes(), found.events),
        *(
            f"position of {place} is {found.positions.get(place)}, its end in the log {end}"
            for place, end in sorted(log.ends.items())
            if found.positions.get(place, 0) != end
        ),
        *(
            f"a position of {place}, which is no part of the log"
            for place in sorted(found.positions.keys() - log.ends.keys())
        ),
        *_letter_violations(found.letters, poison),
    ]


def _event_violations(
    logged: Mapping[Place, Sequence[tuple[int, bytes]]],
    stored: Mapping[Place, Sequence[tuple[int, bytes]]],
) -> list[str]:
    found = []
    for place in sorted(logged.keys() | stored.keys()):
        there, here = logged.get(place, ()), stored.get(place, ())
        if list(there) == list(here):
            continue
        missing = sorted({o for o, _ in there} - {o for o, _ in here})
        extra = sorted({o for o, _ in here} - {o for o, _ in there})
        bytes_of = dict(there)
        altered = [o for o, digest in here if o in bytes_of and bytes_of[o] != digest]
        doubled = len(here) - len({o for o, _ in here})
        found.append(
            f"{place}: {len(there)} events in the log, {len(here)} in the database; "
            f"missing {missing[:_TOLD_MAX]}, extra {extra[:_TOLD_MAX]}, altered "
            f"{altered[:_TOLD_MAX]}, doubled {doubled}"
        )
    return found


def _letter_violations(found: Sequence[tuple[Letter, bool]], poison: Sequence[Letter]) -> list[str]:
    sources = [source for source, _ in found]
    lost, extra = set(poison) - set(sources), set(sources) - set(poison)
    problems = [f"no dead letter of {source}" for source in sorted(lost)]
    problems += [f"a dead letter of {source}, which can be read" for source in sorted(extra)]
    problems += [f"the dead letter of {s} was never published" for s, seen in found if not seen]
    if len(sources) != len(set(sources)):
        problems.append(f"{len(sources)} dead letters of {len(set(sources))} events")
    return problems


def row_violations(connection: Connection, disturbed: str, unbroken: str) -> list[str]:
    """Return the tables whose rows differ between two schemas, and the first row that only one of them has."""
    names, others = (
        [name for (name,) in connection.execute(_TABLES, (schema,)) if name not in _APART]
        for schema in (disturbed, unbroken)
    )
    found = [f"tables differ: {sorted(set(names) ^ set(others))}"] * (names != others)
    for name in sorted(set(names) & set(others)):
        one, other = (sql.Identifier(schema, name) for schema in (disturbed, unbroken))
        first, second = _digest(connection, one), _digest(connection, other)
        if first != second:
            alone = [_alone(connection, one, other), _alone(connection, other, one)]
            found.append(
                f"{name}: {first.rows} rows, {second.rows} of an undisturbed auditor; "
                f"only here {alone[0]}; only there {alone[1]}"
            )
    return found


def _digest(connection: Connection, table: sql.Identifier) -> Digest:
    row = connection.execute(sql.SQL(_DIGEST).format(table)).fetchone()
    return Digest(*(row or (0, Decimal(0))))


def _alone(connection: Connection, one: sql.Identifier, other: sql.Identifier) -> str | None:
    row = connection.execute(sql.SQL(_ALONE).format(one=one, other=other)).fetchone()
    return row[0] if row else None
