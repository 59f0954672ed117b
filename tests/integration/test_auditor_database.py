"""The audit schema by itself: append-only for everyone, described to the last column, made in the same way again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from services.auditor.describe import describe
from services.auditor.migrate import migrate
from services.auditor.tables import TABLES
from tradetrail.errors import Unreachable

pytestmark = pytest.mark.stack

PAGE = Path(__file__).parents[2] / "docs" / "audit-database.md"
MARK = "<!-- tables -->\n"


@pytest.fixture
def schema(stack: Any) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """Return a fresh schema and an owner's connection with it on the search path."""
    name = f"audit_{uuid4().hex[:8]}"
    migrate(stack.addresses.postgres_dsn, name)
    with psycopg.connect(
        stack.addresses.postgres_dsn, autocommit=True, options=f"-c search_path={name}"
    ) as connection:
        yield name, connection
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def add_event(connection: psycopg.Connection[Any], day: date, offset: int = 0) -> None:
    connection.execute("SELECT ensure_events_month(%s)", (day,))
    connection.execute(
        'INSERT INTO events (month, topic, partition, "offset", available_at, hash) '
        "VALUES (%s, 't', 0, %s, %s, '')",
        (day.replace(day=1), offset, day),
    )


@pytest.mark.parametrize(
    "role", ["", "tradetrail_writer", "tradetrail_reader", "tradetrail_compliance"]
)
@pytest.mark.parametrize("table", ["events", "events_2020_03"])
def test_events_are_append_only_for_every_role(
    schema: tuple[str, psycopg.Connection[Any]], role: str, table: str
) -> None:
    _, connection = schema
    add_event(connection, date(2020, 3, 5))
    if role:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    for statement in ("UPDATE {} SET type = 'x'", "DELETE FROM {}", "TRUNCATE {}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL(statement).format(sql.Identifier(table)))
    connection.execute("RESET ROLE")
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)


@pytest.mark.parametrize("role", ["tradetrail_reader", "tradetrail_compliance"])
def test_readers_write_nothing(schema: tuple[str, psycopg.Connection[Any]], role: str) -> None:
    _, connection = schema
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    for name in (*TABLES, "positions", "schemas"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.Identifier(name))
            )
        connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))
    connection.execute("RESET ROLE")


def test_the_writer_deletes_nothing(schema: tuple[str, psycopg.Connection[Any]]) -> None:
    _, connection = schema
    connection.execute("SET ROLE tradetrail_writer")
    for name in (*TABLES, "positions", "schemas"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    connection.execute("RESET ROLE")


def test_an_event_of_any_age_finds_its_month_also_after_the_schema_was_renamed(
    schema: tuple[str, psycopg.Connection[Any]],
) -> None:
    name, connection = schema
    connection.execute(
        sql.SQL("ALTER SCHEMA {0} RENAME TO {1}; CREATE SCHEMA {0}; SET search_path TO {1}").format(
            sql.Identifier(name), sql.Identifier(f"{name}_b")
        )
    )
    connection.execute("SET ROLE tradetrail_writer")
    for offset, day in enumerate(
        (date(1970, 1, 1), date(2020, 2, 29), date(2020, 2, 1), date(2150, 12, 31))
    ):
        add_event(connection, day, offset)
    connection.execute("RESET ROLE")
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (4,)
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(f"{name}_b")))


def test_the_writer_knows_exactly_the_columns_there_are(
    schema: tuple[str, psycopg.Connection[Any]],
) -> None:
    name, connection = schema
    for table in TABLES.values():
        found = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
            (name, table.name),
        ).fetchall()
        assert {column for (column,) in found} == set(table.columns)
        assert len(set(table.columns)) == len(table.columns)


def test_everything_has_a_comment_and_the_page_says_the_same(
    schema: tuple[str, psycopg.Connection[Any]],
) -> None:
    name, connection = schema
    described = describe(connection, name)
    assert "MISSING" not in described
    head, _, tables = PAGE.read_text(encoding="utf-8").partition(MARK)
    if os.environ.get("TRADETRAIL_WRITE_DOCS"):
        PAGE.write_text(f"{head}{MARK}{described}", encoding="utf-8")
    else:
        assert tables == described, (
            "run this test with TRADETRAIL_WRITE_DOCS=1 to write the page anew"
        )


def test_triggers_audited_before_their_table_was_there_are_in_it(
    schema: tuple[str, psycopg.Connection[Any]],
) -> None:
    _, connection = schema
    trigger = uuid4()
    day = date(2020, 3, 5)
    connection.execute("SELECT ensure_events_month(%s)", (day,))
    for offset in (9, 8):
        connection.execute(
            'INSERT INTO events (month, topic, partition, "offset", available_at, hash, type, symbol, event_id, '
            "occurred_at, story_id) VALUES ('2020-03-01', 't', 0, %s, %s, '', 'SymbolDataReady', 'AAPL', %s, %s, 'r')",
            (offset, day, trigger, day),
        )
    migration = import_module("services.auditor.migrations.versions.0008_known_at")
    connection.execute(migration.KNOWN_RUNS)
    connection.execute(migration.KNOWN_TRIGGERS)
    found = connection.execute(
        'SELECT trigger_id, symbol, run_id, "offset", event_id FROM symbol_data_ready'
    ).fetchall()
    assert found == [(str(trigger), "AAPL", "r", 8, str(trigger))]


def test_migrating_again_changes_nothing(
    schema: tuple[str, psycopg.Connection[Any]], stack: Any
) -> None:
    name, connection = schema
    before = describe(connection, name)
    migrate(stack.addresses.postgres_dsn, name)
    assert describe(connection, name) == before


def test_a_database_that_does_not_answer_is_waited_for_and_then_named() -> None:
    with pytest.raises(Unreachable, match="did not answer"):
        migrate("postgresql://nobody:secret@127.0.0.1:9/none", "audit", wait_s=0.2)
