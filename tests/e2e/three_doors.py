"""A question to a demo's audit database by each of its doors: the command, the address, and SQL as compliance asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.e2e.recount import Recorded, recorded
from tests.integration.api_server import Served, served
from tests.integration.trade_rows import Database
from tradetrail.cli.main import run
from tradetrail.reports.connection import prepare_reader
from tradetrail.reports.encode import to_json

Row = dict[str, Any]


@dataclass(frozen=True)
class Doors:
    """Three ways to one database."""

    database: Database
    api: Served
    folder: Path

    def ask(self, words: str, path: str) -> Row:
        """Return what command and address answer; fails unless both say the same, to the last digit."""
        # Into a file: on stdout the API's own log would stand between.
        file = self.folder / "report.json"
        assert run(["report", *words.split(), "--format", "json", "--output", str(file)]) == 0
        answer = self.api.ask(f"/reports/{path}")
        assert answer.status_code == 200, answer.text
        report: Row = read(file.read_text(encoding="utf-8"))
        assert report == read(answer.text)
        return report

    def sql(self, query: LiteralString, *arguments: Any) -> list[Row]:
        """Return the rows of a query by the compliance role, in the form that reports have."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            prepare_reader(connection, self.database.schema, "tradetrail_compliance")
            with connection.cursor(row_factory=dict_row) as cursor:
                rows: list[Row] = read(to_json(cursor.execute(query, arguments).fetchall()))
        return rows

    def log(self, *types: str) -> list[Recorded]:
        """Return the events of these types by their exact bytes."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            prepare_reader(connection, self.database.schema, "tradetrail_compliance")
            return recorded(connection, *types)


def read(text: str) -> Any:
    """Return JSON with exact decimals."""
    return json.loads(text, parse_float=Decimal)


@contextmanager
def three_doors(dsn: str, folder: Path) -> Iterator[Doors]:
    """Open the doors of the database at ``dsn``; nothing else is asked. Answers pass through ``folder``."""
    database = Database(dsn, "audit")
    with pytest.MonkeyPatch.context() as environment, served(database) as api:
        environment.setenv("TRADETRAIL_POSTGRES_DSN", dsn)
        yield Doors(database, api, folder)


def picked(rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    """Return these columns of rows, sorted, so that rows of one kind compare whatever their order."""
    return sorted((tuple(row[column] for column in columns) for row in rows), key=repr)
