"""The audit schema by itself: append-only for everyone, described to the last column, made in the same way again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from services.auditor.database.describe import describe
from services.auditor.database.migrate import migrate
from services.auditor.entry import NotStorable
from services.auditor.tables import TABLES
from services.auditor.writing.store import Store
from tests import auditor_story as story
from tests.integration.audit_schema import WRITER, entries_of, fresh_schema, write
from tradetrail.errors import Unreachable

pytestmark = pytest.mark.stack

PAGE = Path(__file__).parents[2] / "docs" / "audit-database.md"
MARK = "<!-- tables -->\n"


@pytest.fixture
def schema(stack: Any) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """Return a fresh schema and an owner's connection with it on the search path."""
    with fresh_schema(stack.addresses.postgres_dsn) as made:
        yield made


@pytest.fixture(scope="module")
def kept(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    """Return an owner's connection to a schema that holds an event and a schema, for tests that change nothing."""
    with fresh_schema(stack.addresses.postgres_dsn) as (_, connection):
        add_event(connection, date(2020, 3, 5))
        connection.execute("INSERT INTO schemas (schema_id, type, schema) VALUES (1, 't', 's')")
        yield connection


@contextmanager
def acting_as(connection: psycopg.Connection[Any], role: str) -> Iterator[None]:
    """Take on a role, the owner's for an empty one."""
    if role:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    try:
        yield
    finally:
        connection.execute("RESET ROLE")


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
@pytest.mark.parametrize("table", ["events", "events_2020_03", "schemas"])
def test_what_was_recorded_is_append_only_for_every_role(
    kept: psycopg.Connection[Any], role: str, table: str
) -> None:
    for statement in ("UPDATE {} SET type = 'x'", "DELETE FROM {}", "TRUNCATE {}"):
        with acting_as(kept, role), pytest.raises(psycopg.errors.InsufficientPrivilege):
            kept.execute(sql.SQL(statement).format(sql.Identifier(table)))
    assert kept.execute("SELECT count(*) FROM events").fetchone() == (1,)
    assert kept.execute("SELECT type FROM schemas").fetchall() == [("t",)]


@pytest.mark.parametrize("role", ["tradetrail_reader", "tradetrail_compliance"])
def test_readers_write_nothing(kept: psycopg.Connection[Any], role: str) -> None:
    with acting_as(kept, role):
        for name in (*TABLES, "events", "positions", "schemas"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                kept.execute(sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.Identifier(name)))
            kept.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))


@pytest.mark.parametrize(
    "role", ["tradetrail_writer", "tradetrail_reader", "tradetrail_compliance"]
)
def test_only_the_owner_changes_what_there_is(kept: psycopg.Connection[Any], role: str) -> None:
    for statement in (
        "DROP TABLE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "ALTER TABLE trade_decisions ADD COLUMN more text",
        "DROP VIEW executed_trades",
        "CREATE TABLE mine (a int)",
        "CREATE TRIGGER mine BEFORE INSERT ON trade_decisions FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "UPDATE schema_version SET version_num = '0'",
        "SET session_replication_role = replica",
    ):
        with acting_as(kept, role), pytest.raises(psycopg.errors.InsufficientPrivilege):
            kept.execute(statement)
    if role != "tradetrail_writer":
        with acting_as(kept, role), pytest.raises(psycopg.errors.InsufficientPrivilege):
            kept.execute("SELECT ensure_events_month('2020-01-01')")


def test_the_writer_deletes_nothing(kept: psycopg.Connection[Any]) -> None:
    with acting_as(kept, "tradetrail_writer"):
        for name in (*TABLES, "events", "positions", "schemas"):
            for statement in ("DELETE FROM {}", "TRUNCATE {}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    kept.execute(sql.SQL(statement).format(sql.Identifier(name)))


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
        (
            date(1970, 1, 1),
            date(1999, 12, 31),
            date(2020, 2, 29),
            date(2020, 2, 1),
            date(2091, 7, 4),
        )
    ):
        add_event(connection, day, offset)
    connection.execute("RESET ROLE")
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (5,)
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(f"{name}_b")))


def test_the_months_to_come_are_there_before_they_are_needed(
    schema: tuple[str, psycopg.Connection[Any]],
) -> None:
    _, connection = schema
    months = (
        "SELECT array_agg(c.relname ORDER BY c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = 'events'::regclass"
    )
    due = (
        "SELECT array_agg('events_' || to_char(now() AT TIME ZONE 'UTC' + n * interval '1 month', 'YYYY_MM') "
        "ORDER BY n) FROM generate_series(0, 2) AS n"
    )
    # Both by the database's clock and in one statement, so that the turn of a month in between changes nothing.
    asked = connection.execute(f"SELECT ({months}), ({due})").fetchone()
    assert asked is not None
    assert asked[0] == asked[1]
    connection.execute("SET ROLE tradetrail_writer")
    connection.execute("SELECT ensure_events_months_ahead(4)")
    connection.execute("RESET ROLE")
    assert connection.execute(f"SELECT cardinality(({months}))").fetchone() == (5,)


def test_an_auditor_makes_the_months_to_come(
    schema: tuple[str, psycopg.Connection[Any]], stack: Any
) -> None:
    name, connection = schema
    ahead = "SELECT to_regclass('events_' || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM'))::text"
    (month,) = connection.execute(ahead).fetchone() or ("",)
    connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(month)))
    write(stack.addresses.postgres_dsn, name, entries_of(story.placed_story()[:1]))
    assert connection.execute("SELECT to_regclass(%s)::text", (month,)).fetchone() == (month,)


def test_a_batch_that_is_refused_before_its_month_is_made_is_kept_all_the_same(
    schema: tuple[str, psycopg.Connection[Any]], stack: Any
) -> None:
    name, connection = schema
    assert connection.execute("SELECT to_regclass('events_2026_01')").fetchone() == (None,)
    nul = story.disclosure("nul", person="Zero\x00Byte")
    entries = entries_of([("t", "AAPL", story.disclosure("a")), ("t", "AAPL", nul)])
    with pytest.raises(NotStorable):
        write(stack.addresses.postgres_dsn, name, entries)
    store = Store(stack.addresses.postgres_dsn, name, WRITER)
    ((culprit, why),) = store.culprits(entries)
    store.close()
    assert culprit is entries[1]
    culprit.refuse(why)
    write(stack.addresses.postgres_dsn, name, entries)
    kept = connection.execute("SELECT count(*), count(event_id) FROM events_2026_01").fetchone()
    assert kept == (2, 1)


def test_a_writer_and_a_new_month_never_wait_for_each_other(
    schema: tuple[str, psycopg.Connection[Any]], stack: Any
) -> None:
    name, writer = schema
    add_event(writer, date(2020, 3, 5))
    add = (
        'INSERT INTO events (month, topic, partition, "offset", available_at, hash) '
        "VALUES ('2020-03-01', 't', 0, %s, '2020-03-05', '')"
    )
    # Whatever waits for a lock is refused, after a time that only a lock can take.
    options = f"-c search_path={name} -c lock_timeout=20s"
    with (
        psycopg.connect(stack.addresses.postgres_dsn, options=options) as other,
        writer.transaction(),
    ):
        writer.execute("SET LOCAL lock_timeout = '20s'")
        writer.execute(add, (1,))
        other.execute("SELECT ensure_events_month('2031-05-01')")
        # Neither has committed: the month is being made, and the writer goes on.
        writer.execute(add, (2,))
        other.execute("SELECT count(*) FROM events")
        other.commit()
    assert writer.execute("SELECT count(*) FROM events").fetchone() == (3,)


def test_the_writer_knows_exactly_the_columns_there_are(
    schema: tuple[str, psycopg.Connection[Any]],
) -> None:
    name, connection = schema
    for table in TABLES.values():
        found = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
            "AND is_generated = 'NEVER'",
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
