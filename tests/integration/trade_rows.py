"""A schema that holds the story of trades, written by the auditor's writer without a log, and readers of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.integration.audit_schema import entries_of, fresh_schema, write
from tests.trades_story import told
from tradetrail.reports.connection import prepare_reader
from tradetrail.reports.queries import statement


@dataclass(frozen=True)
class Database:
    """Where the story's rows are."""

    dsn: str
    schema: str

    @contextmanager
    def reader(self, role: str = "") -> Iterator[psycopg.Connection[Any]]:
        """Open a report's connection; errors are Postgres's own."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            prepare_reader(connection, self.schema, role)
            yield connection


@contextmanager
def trade_rows(dsn: str) -> Iterator[Database]:
    """Make the schema, and take it away again."""
    with fresh_schema(dsn) as (name, _):
        write(dsn, name, entries_of(told()))
        yield Database(dsn, name)


def plan_of(connection: psycopg.Connection[Any], query: str, arguments: dict[str, Any]) -> str:
    """Return how Postgres would answer a report's query if no table may be read whole; the tables are small here."""
    connection.execute("SET enable_seqscan = off")
    lines = connection.execute("EXPLAIN " + statement(query), arguments).fetchall()
    return "\n".join(line for (line,) in lines)
