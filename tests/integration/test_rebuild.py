"""Audit tables made again from the log: the same rows, whatever stands in the log and whoever writes meanwhile."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from services.auditor.compare import compare, first_difference
from services.auditor.migrate import migrate
from services.auditor.refill import Refill
from services.auditor.settings import AuditorSettings
from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, audit_of
from tradetrail.events import Event
from tradetrail.log.kafka import open_producer
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

# Far above what a rebuild of a few hundred events takes on a machine that does other things, too.
REBUILD_TIMEOUT_S = 240.0
WHO = ("--as=ann", "--why=a row was altered")


@pytest.fixture
def audit(log: SharedSettings, stack: object) -> Iterator[Audit]:
    """Return an audit of this test's log in a schema of its own."""
    with audit_of(log, stack.addresses.postgres_dsn) as made:  # type: ignore[attr-defined]
        try:
            yield made
        finally:
            for schema in schemas(made) - {made.schema}:
                drop(made, schema)


def begin_rebuild(audit: Audit, *words: str) -> subprocess.Popen[str]:
    """Start a rebuild in a process of its own."""
    env = {
        "TRADETRAIL_KAFKA": audit.log.kafka,
        "TRADETRAIL_REGISTRY_URL": audit.log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": audit.log.topic_prefix,
        "TRADETRAIL_POSTGRES_DSN": audit.dsn,
        "TRADETRAIL_POSTGRES_SCHEMA": audit.schema,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "services.auditor", "--rebuild", *words],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rebuild(audit: Audit, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run a rebuild; return its exit code, its report and what it said."""
    process = begin_rebuild(audit, "--format=json", *words)
    try:
        out, said = process.communicate(timeout=REBUILD_TIMEOUT_S)
    finally:
        process.kill()
    return process.returncode, json.loads(out) if out.strip() else {}, said


def execute(audit: Audit, *statements: str) -> None:
    """Run statements as the superuser, past every trigger and foreign key."""
    with psycopg.connect(audit.dsn, options=f"-c search_path={audit.schema}") as connection:
        connection.execute("SET session_replication_role = 'replica'")
        for statement in statements:
            connection.execute(statement.encode())


def schemas(audit: Audit) -> set[str]:
    """Return the schemas of this audit: its own, and what rebuilds made of it."""
    found = audit.rows(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %(own)s)", own=audit.schema
    )
    return {name for (name,) in found}


def drop(audit: Audit, schema: str) -> None:
    """Drop a schema."""
    with psycopg.connect(audit.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


@contextmanager
def refilled(audit: Audit, settings: AuditorSettings) -> Iterator[str]:
    """Make a second schema and fill it to the positions of the first."""
    schema = f"{audit.schema}_again"
    migrate(audit.dsn, schema)
    rows = audit.rows("SELECT topic, partition, next_offset FROM positions")
    with closing(Refill(audit.log, settings, audit.dsn, schema, origin=audit.schema)) as refill:
        refill.to({(t, p): end for t, p, end in rows})
        yield schema


def first_of(audit: Audit, other: str) -> str | None:
    """Return the first difference between the audit and another schema."""
    with psycopg.connect(audit.dsn) as connection:
        found = first_difference(compare(connection, audit.schema, other))
    return None if found is None else str(found)


def disclosures(count: int, salt: object = "") -> list[tuple[str, str, Event]]:
    """Return disclosures of a few symbols in both groups."""
    symbols = ("AAPL", "MSFT", "IBM", "GE", "F", "T")
    return [
        ("megacap" if s in ("AAPL", "MSFT") else "default", s, story.disclosure(f"{salt}{n}", s))
        for n, s in ((n, symbols[n % len(symbols)]) for n in range(count))
    ]


def poisoned(audit: Audit) -> None:
    """Send the story out of order, with bytes that are no events, tombstones, and events that don't fit the tables."""
    placed = story.placed_story()
    random.Random(3).shuffle(placed)
    raw = open_producer(audit.log)
    topic = audit.topics.trade()[0]
    for value in (None, b"garbage", b"\x00\xff\xff\xff\xffabc"):
        raw.produce(topic, key=b"AAPL", value=value, partition=0)
    raw.produce(audit.topics.ingestor_state, key=b"gone", value=None, partition=0)
    raw.flush(30)
    audit.send(placed)
    nul = story.disclosure("nul", person="Nancy\x00Pelosi")
    huge = story.disclosure("huge", "".join(story.an_id(n) for n in range(400)))
    nameless = replace(story.disclosure("nameless"), event_id="nobody")
    lone = story.decision("lone", run="run-nowhere")
    audit.send([("megacap", "AAPL", event) for event in (nul, huge, nameless, lone)])


@pytest.mark.parametrize("events_max", [3, 10_000])
def test_a_refill_gives_the_same_rows(audit: Audit, events_max: int) -> None:
    poisoned(audit)
    audit.start().wait_ready()
    audit.wait_audited()
    letters = audit.rows("SELECT count(*) FROM dead_letters")
    assert letters == [(6,)]
    with refilled(audit, AuditorSettings(batch_events_max=events_max)) as again:
        assert first_of(audit, again) is None
    audit.wait_audited()
    assert audit.rows("SELECT count(*) FROM dead_letters") == letters, "it published a dead letter"


def test_a_dry_run_finds_what_was_altered_and_changes_nothing(audit: Audit) -> None:
    audit.send(story.placed_story())
    audit.start().wait_ready()
    audit.wait_audited()
    code, report, said = rebuild(audit)
    assert (code, report["differences"]) == (0, 0), said
    assert sum(each["live_rows"] for each in report["tables"]) > 100
    execute(audit, "UPDATE trade_decisions SET quantity = quantity + 1 WHERE quantity IS NOT NULL")
    rows = audit.tables()
    code, report, said = rebuild(audit)
    assert code == 1, said
    assert report["first"]["table"] == "trade_decisions"
    assert report["first"]["column"] == "quantity"
    assert audit.tables() == rows
    assert schemas(audit) == {audit.schema}
    assert audit.rows("SELECT count(*) FROM operator_acts WHERE act = 'rebuild'") == [(0,)]


def test_live_auditors_go_on_through_the_swap(audit: Audit) -> None:
    poisoned(audit)
    auditors = [audit.start(AUDITOR_BATCH_EVENTS_MAX="50") for _ in range(2)]
    for each in auditors:
        each.wait_ready()
    audit.wait_audited()
    execute(
        audit,
        "DELETE FROM events WHERE type = 'DecisionMade'",
        "UPDATE trade_executions SET filled_avg_price = 1",
        "INSERT INTO alerts (alert_id, rule) VALUES ('forged', 'none')",
    )
    process = begin_rebuild(audit, "--format=json", "--apply", *WHO)
    try:
        # Events of all kinds arrive until the rebuild has ended, so some arrive at every step of it.
        for turn in range(10_000):
            audit.send(disclosures(60, salt=turn))
            if process.poll() is not None:
                break
        out, said = process.communicate(timeout=REBUILD_TIMEOUT_S)
    finally:
        process.kill()
    assert process.returncode == 0, said
    report = json.loads(out)
    assert report["differences"] >= 3
    old = report["old_schema"]
    assert schemas(audit) == {audit.schema, old}
    audit.send(disclosures(300, salt="after"))
    audit.wait_audited()
    assert [each.process.poll() for each in auditors] == [None, None]
    assert audit.differences() == []
    with refilled(audit, AuditorSettings()) as again:
        assert first_of(audit, again) is None
    acts = audit.rows(
        "SELECT operator, why, arguments->>'schema' FROM operator_acts WHERE act = 'rebuild'"
    )
    assert acts == [("ann", "a row was altered", audit.schema)]
    assert [each.stop() for each in auditors] == [0, 0]
