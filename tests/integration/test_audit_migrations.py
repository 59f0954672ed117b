"""Migrations only add: the release before goes on writing, nothing it reads is gone, and what one mended stays so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from services.auditor import migrations
from services.auditor.database.migrate import migrate
from services.auditor.entry import Entry
from services.auditor.projections import project
from services.auditor.tables import TABLES
from services.auditor.writing.statements import EVENT_COLUMNS
from tests import auditor_story as story
from tests.auditor_rows import all_rows
from tests.eventually import DEADLINE_S, eventually
from tests.integration.audit_schema import WRITER, drift, entries_of, fresh_schema
from tradetrail.log.event_hash import event_hash

pytestmark = pytest.mark.stack

RELEASED = Path(__file__).parent / "released"
"""What the writer of a release writes: tables, keys, columns. A file is named after the newest step it was made for."""
FIRST = "0009"
"""The newest step of the first schema that others had: from here on the release before keeps running."""

# What the seeds name, besides what is asked for in words: tables and their columns.
NAMED: dict[str, str] = {
    "data_ingestion_runs": "run_id task_name started_at completed_at failed_at status data_source data_date_start "
    "data_date_end records_fetched records_created records_updated records_skipped error_message error_details "
    "created_at updated_at",
    "data_ingestion_run_records": "run_id record_id operation",
    "api_payloads": "run_id decision_id execution_id endpoint request status_code requested_at response_size_bytes "
    "records_returned rate_limit_remaining",
    "quiver_trades": "record_id ticker representative transaction_type transaction_date",
    "politician_profiles": "politician_id name party state chamber",
    "trade_decisions": "decision_id strategy_name strategy_version symbol side quantity order_type limit_price "
    "decision_rationale status retry_count executed_at failed_at created_at updated_at",
    "trade_executions": "trade_decision_id execution_id attempt_number status api_request api_response "
    "alpaca_order_id error_message error_details filled_quantity filled_avg_price commission submitted_at filled_at "
    "rejected_at created_at updated_at",
    "alpaca_orders": "alpaca_order_id trade_decision_id",
    "run_health": "run_id api_calls ingested_record_ids",
}

COLUMNS: LiteralString = """
SELECT c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid) IS NOT NULL OR a.attgenerated <> '' OR a.attidentity <> ''
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
"""
# Constraints, unique indexes and functions, each with what it says.
RULES: LiteralString = """
SELECT 'constraint', t.relname || ': ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE k.connamespace = current_schema()::regnamespace AND NOT t.relispartition AND k.contype <> 'n'
UNION ALL
SELECT 'unique', i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE i.relnamespace = current_schema()::regnamespace AND x.indisunique AND NOT i.relispartition
UNION ALL
SELECT 'function', p.proname || pg_get_function_identity_arguments(p.oid) FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace
"""


@pytest.fixture
def old(stack: Any) -> Iterator[tuple[str, psycopg.Connection[Any], str]]:
    """Return a schema of the first released step, its owner's connection and its server."""
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn, FIRST) as (name, connection):
        yield name, connection, dsn


def steps() -> list[str]:
    """Return the steps after the first, in order."""
    config = Config()
    config.set_main_option("script_location", str(resources.files(migrations)))
    found = [s.revision for s in ScriptDirectory.from_config(config).walk_revisions()]
    return sorted(step for step in found if step > FIRST)


def test_every_step_only_adds(old: tuple[str, psycopg.Connection[Any], str]) -> None:
    name, connection, dsn = old
    for step in steps():
        columns = {tuple(r[:3]): r[3:] for r in connection.execute(COLUMNS)}
        rules = set(connection.execute(RULES).fetchall())
        migrate(dsn, name, revision=step)
        after = {tuple(r[:3]): r[3:] for r in connection.execute(COLUMNS)}
        rules_after = set(connection.execute(RULES).fetchall())
        assert {at: after.get(at) for at in columns} == columns, f"{step} drops or changes columns"
        assert rules <= rules_after, f"{step} takes away {rules - rules_after}"
        tables = {table for table, _, _ in columns}
        for at in after.keys() - columns.keys():
            _, required, is_filled = after[at]
            must_be_given = at[0] in tables and required and not is_filled
            assert not must_be_given, f"{step}: {at} must be given"
        narrowed = [
            text
            for kind, text in rules_after - rules
            if kind != "function" and text.partition(":")[0].split("_pkey")[0] in tables
        ]
        assert not narrowed, f"{step} refuses rows that were good: {narrowed}"


@pytest.mark.parametrize("release", sorted(path.stem for path in RELEASED.glob("writer.*.json")))
def test_the_release_before_goes_on_writing(
    old: tuple[str, psycopg.Connection[Any], str], release: str
) -> None:
    name, connection, dsn = old
    migrate(dsn, name)
    written = json.loads((RELEASED / f"{release}.json").read_text(encoding="utf-8"))
    entries = entries_of(story.placed_story())
    rows = all_rows(project(entries))
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(WRITER)))
    connection.execute("INSERT INTO positions (topic, partition, next_offset) VALUES ('t', 0, 0)")
    connection.execute("INSERT INTO schemas (schema_id, type, schema) VALUES (1, 't', '{}')")
    connection.execute("SELECT ensure_events_month('2026-01-01')")
    add = sql.SQL("INSERT INTO events ({}) VALUES ({})").format(
        _names(written["events"]), sql.SQL(", ").join([sql.Placeholder()] * len(written["events"]))
    )
    with connection.transaction():
        for entry in entries:
            connection.execute(add, _event_row(entry))
        for table, spec in written["tables"].items():
            _merge(connection, table, spec, list(rows.get(table, {}).values()))
    for table in written["tables"]:
        found = connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        ).fetchone()
        assert found == (len(rows.get(table, {})),), table
    connection.execute("RESET ROLE")
    # It knows nothing of the table of trades, and yet keeps it.
    assert connection.execute("SELECT count(*) > 0 FROM trades").fetchone() == (True,)
    assert drift(connection) == []


def test_what_the_writer_of_today_writes_is_kept_for_the_next_release() -> None:
    today = {
        "events": list(EVENT_COLUMNS),
        "positions": ["topic", "partition", "next_offset"],
        "schemas": ["schema_id", "type", "schema"],
        "tables": {
            table.name: {"key": list(table.key), "columns": list(table.columns)}
            for table in TABLES.values()
        },
    }
    newest = max(RELEASED.glob("writer.*.json"))
    if os.environ.get("TRADETRAIL_WRITE_DOCS") and json.loads(newest.read_text()) != today:
        newest = RELEASED / f"writer.{steps()[-1]}.json"
        # A line a table: so a later one's differences are seen.
        text = json.dumps(today).replace('"tables": {', '\n"tables": {\n').replace("]}, ", "]},\n")
        newest.write_text(f"{text}\n", encoding="utf-8")
    kept = json.loads(newest.read_text(encoding="utf-8"))
    assert kept == today, "TRADETRAIL_WRITE_DOCS=1 adds its file; those of releases never change"


def _event_row(entry: Entry) -> tuple[Any, ...]:
    """Return an event's row as that release writes it."""
    message = entry.message
    assert entry.decoded is not None
    datum = entry.decoded.datum
    head = (entry.month, message.topic, message.partition, message.offset, message.appended_at)
    said = (entry.type_name, datum["symbol"], datum["event_id"], datum["occurred_at"])
    tail = (event_hash(message), message.key, message.value)
    return (*head, *said, datum["story_id"], entry.decoded.schema_id, *tail)


def _merge(
    connection: psycopg.Connection[Any], table: str, spec: dict[str, Any], rows: list[Any]
) -> None:
    """Write rows as that release does: its columns into a stage, and from there into the table."""
    columns, stage = spec["columns"], sql.Identifier(f"stage_{table}")
    named = {"t": sql.Identifier(table), "c": _names(columns), "s": stage}
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {s} ON COMMIT DROP AS SELECT {c} FROM {t} LIMIT 0").format(
            **named
        )
    )
    with connection.cursor().copy(sql.SQL("COPY {s} ({c}) FROM STDIN").format(**named)) as copy:
        for row in rows:
            copy.write_row([row.get(column) for column in columns])
    update = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in columns
    )
    connection.execute(
        sql.SQL(
            "INSERT INTO {t} ({c}) SELECT {c} FROM {s} ON CONFLICT ({key}) DO UPDATE SET {update}"
        ).format(**named, key=_names(spec["key"]), update=update)
    )


def _names(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def test_every_name_that_users_bring_along_is_there(
    old: tuple[str, psycopg.Connection[Any], str],
) -> None:
    name, connection, dsn = old
    migrate(dsn, name)
    there: dict[str, set[str]] = {}
    for table, _, column, *_ in connection.execute(COLUMNS):
        there.setdefault(table, set()).add(column)
    missing = {
        table: set(columns.split()) - there.get(table, set()) for table, columns in NAMED.items()
    }
    assert not any(missing.values()), missing


def test_two_auditors_that_meet_a_new_month_at_once_make_it_once(stack: Any) -> None:
    dsn, make_month = stack.addresses.postgres_dsn, "SELECT ensure_events_month('2031-05-01')"
    waits = "SELECT FROM pg_locks WHERE pid = %s AND locktype = 'advisory' AND NOT granted"
    with fresh_schema(dsn) as (name, owner):
        options = f"-c search_path={name} -c role={WRITER} -c statement_timeout={DEADLINE_S:g}s"
        with (
            psycopg.connect(dsn, options=options) as second,
            ThreadPoolExecutor(1, "second") as thread,
            psycopg.connect(dsn, options=options) as first,
        ):
            first.execute(make_month)
            made = thread.submit(second.execute, make_month)
            # It has looked for the month in vain, and waits to make it.
            eventually(lambda: owner.execute(waits, (second.info.backend_pid,)).rowcount == 1)
            first.commit()
            made.result(DEADLINE_S)
        months = (
            "SELECT count(*) FROM pg_inherits "
            "WHERE inhparent = 'events'::regclass AND inhrelid = 'events_2031_05'::regclass"
        )
        assert owner.execute(months).fetchone() == (1,)
