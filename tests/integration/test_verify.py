"""The log against the database: a clean one is called clean, and each way to tamper with it is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from services.auditor.refilling.servers import Servers
from services.auditor.settings import AuditorSettings
from services.auditor.tables import TABLES
from services.auditor.verify.asked import Asked, Window
from services.auditor.verify.derived import TRADES, compare_trades
from services.auditor.verify.excuses import of_whole
from services.auditor.verify.findings import Finding, Findings
from services.auditor.verify.rows_sql import Side
from services.auditor.verify.run import verify
from services.auditor.verify.scratch import Scratch, opened
from services.auditor.verify.stored import Beginning, Stored, StoredEvent
from services.auditor.verify.tables import compare_table
from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, audit_of
from tests.integration.fresh_log import fresh_log
from tests.integration.verify_tampering import EVENTS, ROWS, Tampering
from tradetrail.errors import UsageError
from tradetrail.log.kafka import open_producer
from tradetrail.log.reader import Place
from tradetrail.reports.connection import DatabaseSettings

pytestmark = pytest.mark.stack

EVENTS_ONLY = Asked(events_only=True)


@pytest.fixture(scope="module")
def audit(stack: Any) -> Iterator[Audit]:
    """Return a story's log, with poison and tombstones in it, and its audited database; no auditor runs any more."""
    with audit_of(fresh_log(stack), stack.addresses.postgres_dsn) as made:
        made.send(story.placed_story())
        raw = open_producer(made.log)
        for value in (None, b"garbage"):
            raw.produce(made.topics.trade()[0], key=b"AAPL", value=value, partition=0)
        raw.produce(made.topics.ingestor_state, key=b"gone", value=None, partition=0)
        raw.flush(10)
        made.send([("megacap", "AAPL", story.disclosure("nul", person="Nancy\x00Pelosi"))])
        auditor = made.start().wait_ready()
        made.wait_audited()
        assert auditor.stop() == 0
        yield made


@pytest.fixture(scope="module")
def kept(audit: Audit) -> dict[str, sql.Composed]:
    """Keep every row of the audited database aside; return the statements that put them back, by table."""
    copies = {}
    with superuser(audit) as connection:
        for name in (*TABLES, TRADES, "events", "positions", "schemas"):
            found = connection.execute(
                "SELECT column_name::name FROM information_schema.columns "
                "WHERE table_schema = %s AND table_name = %s AND is_generated = 'NEVER'",
                (audit.schema, name),
            )
            columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in found)
            table, copy = sql.Identifier(name), sql.Identifier(f"kept_{name}")
            connection.execute(
                sql.SQL("CREATE TABLE {} AS SELECT {} FROM {}").format(copy, columns, table)
            )
            copies[name] = sql.SQL(
                "DELETE FROM {0}; INSERT INTO {0} ({1}) SELECT * FROM {2}"
            ).format(table, columns, copy)
    return copies


@pytest.fixture(scope="class")
def scratch(audit: Audit) -> Iterator[Scratch]:
    """Return the log projected again into the scratch schema, which nobody else can verify in meanwhile."""
    of = servers(audit)
    with opened(of.database) as made:
        made.take(None)
        made.fill(of.shared, of.auditor, {}, made.positions(made.live), lambda *_: None)
        yield made
        made.drop()


def servers(audit: Audit) -> Servers:
    """Return the settings of an audit."""
    database = DatabaseSettings(postgres_dsn=audit.dsn, postgres_schema=audit.schema)
    return Servers(audit.log, database, AuditorSettings())


def command(audit: Audit, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a verification to its end as a person does."""
    env = {
        "TRADETRAIL_KAFKA": audit.log.kafka,
        "TRADETRAIL_REGISTRY_URL": audit.log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": audit.log.topic_prefix,
        "TRADETRAIL_POSTGRES_DSN": audit.dsn,
        "TRADETRAIL_POSTGRES_SCHEMA": audit.schema,
    }
    return subprocess.run(
        [sys.executable, "-m", "tradetrail", "verify", *words],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextmanager
def superuser(audit: Audit) -> Iterator[psycopg.Connection[Any]]:
    """Connect as one whom no trigger and no foreign key stops."""
    options = f"-c search_path={audit.schema} -c session_replication_role=replica"
    with psycopg.connect(audit.dsn, options=options, autocommit=True) as connection:
        yield connection


@contextmanager
def tampered(audit: Audit, kept: dict[str, sql.Composed], *what: Tampering) -> Iterator[None]:
    """Tamper with the database, and put every row back in the end."""
    with superuser(audit) as connection:
        try:
            for each in what:
                connection.execute(each.statement.encode())
            yield
        finally:
            for statement in kept.values():
                connection.execute(statement)


def first_of(report: dict[str, Any]) -> tuple[str, str]:
    """Return code and line of the first finding."""
    finding = Finding(**report["first"])
    return str(finding.code), finding.line


@pytest.mark.parametrize("case", sorted(EVENTS))
def test_each_way_to_tamper_with_the_events_is_named_first(
    audit: Audit, kept: dict[str, sql.Composed], case: str
) -> None:
    with tampered(audit, kept, EVENTS[case]):
        code, line = first_of(verify(servers(audit), EVENTS_ONLY))
        assert (code, EVENTS[case].told in line) == (EVENTS[case].code, True), line


class TestRows:
    """All cases share one projection of the log."""

    @pytest.mark.parametrize("case", sorted(ROWS))
    def test_each_way_to_tamper_with_a_row_is_named(
        self, audit: Audit, kept: dict[str, sql.Composed], scratch: Scratch, case: str
    ) -> None:
        with tampered(audit, kept, ROWS[case]):
            findings = projected(scratch)
            assert [each.code for each in findings.kept][:1] == [ROWS[case].code]
            assert ROWS[case].told in findings.kept[0].line
        assert projected(scratch).total == 0


def projected(scratch: Scratch) -> Findings:
    """Compare the tables as they are with what was projected of the log."""
    ends = scratch.positions(scratch.name)
    excuses = of_whole(ends, scratch.positions(scratch.live))
    findings = Findings(10)
    for table in TABLES.values():
        side = Side(table, scratch.live, scratch.name, excuses)
        compare_table(scratch.connection, side, excuses, findings, lambda _: None)
    compare_trades(scratch.connection, scratch.live, findings, lambda _: None)
    return findings


def test_a_clean_database_is_clean(audit: Audit) -> None:
    done = command(audit, "--format=json")
    assert done.returncode == 0, (done.stdout, done.stderr)
    report = json.loads(done.stdout)
    assert report["differences"] == report["behind"] == report["content_unjudged"] == 0
    assert report["events_compared"] == len(audit.rows("SELECT 1 FROM events"))
    # An empty body, garbage, what the tables refuse; the tombstone of a compacted topic says nothing by right.
    assert report["unreadable"] == 3
    compared = {each["table"]: each["rows"] for each in report["tables"]}
    with superuser(audit) as connection:
        counted = {
            name: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            ).fetchone()
            for name in (*TABLES, TRADES)
        }
    assert compared == {name: row and row[0] for name, row in counted.items()}
    assert all(compared.values())
    assert (
        audit.rows("SELECT 1 FROM pg_namespace WHERE nspname = %(n)s", n=f"{audit.schema}_verify")
        == []
    )


def test_a_person_is_told_the_first_difference_in_the_first_line(
    audit: Audit, kept: dict[str, sql.Composed]
) -> None:
    wanted = ("a decision's quantity", "an execution's price", "a run's counts", "a lineage row")
    with tampered(audit, kept, *(ROWS[name] for name in wanted)):
        done = command(audit, "--max-findings=3")
    assert done.returncode == 1, (done.stdout, done.stderr)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("first difference: row_differs data_ingestion_runs run_id=run-1")
    # The trade that the altered execution belongs to is not what it adds up to any more.
    assert "5 differences (row_differs 5)" in lines[1]
    assert "and 2 more" in lines


def test_a_window_judges_what_its_events_wrote(audit: Audit, kept: dict[str, sql.Composed]) -> None:
    topic = audit.topics.trade()[0]
    around = Window(topic, 1, 11, 13)
    other = Tampering(
        "UPDATE data_ingestion_runs SET task_name = 'x'; "
        "UPDATE trade_decisions SET why = 'x' WHERE side = 'sell'",
        "",
        "",
    )
    (offset,) = audit.rows('SELECT "offset" FROM declined_decisions')[0]
    inside = Tampering("UPDATE declined_decisions SET reason_text = 'x'", "", "")
    with tampered(audit, kept, EVENTS["deleted"], other, inside):
        assert verify(servers(audit), Asked(around))["differences"] == 0
        found = verify(servers(audit), Asked(Window(topic, 1, offset, offset)))
        assert first_of(found)[0] == "row_differs"
        assert found["differences"] == 1
        assert verify(servers(audit), Asked(Window(topic, 1, 9, 9)))["counts"]["event_missing"] == 1
    today = audit.rows("SELECT max(available_at) AT TIME ZONE 'UTC' FROM events")[0][0].date()
    days = Window(first=today.replace(day=1), last=today)
    whole = len(audit.rows("SELECT 1 FROM events"))
    assert verify(servers(audit), Asked(days, events_only=True))["events_compared"] == whole
    before = Window(last=today.replace(year=today.year - 1))
    assert verify(servers(audit), Asked(before, events_only=True))["events_compared"] == 0


def test_an_interrupted_run_goes_on_where_it_was(
    audit: Audit, kept: dict[str, sql.Composed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state.json"
    read = Stored.read

    def interrupted(self: Stored, place: Place, start: int, end: int) -> Iterator[StoredEvent]:
        for row in read(self, place, start, end):
            if place == (audit.topics.trade()[0], 1) and row.offset == 15:
                raise KeyboardInterrupt
            yield row

    with monkeypatch.context() as patch:
        patch.setattr(Stored, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            verify(servers(audit), EVENTS_ONLY, state)
    # What was found good is not read again: that is what resuming means, and the report says so.
    with tampered(audit, kept, EVENTS["bytes changed"]):
        report = verify(servers(audit), EVENTS_ONLY, state)
    assert report["differences"] == 0
    whole = len(audit.rows("SELECT 1 FROM events"))
    before = report["resumed"]["events_found_good_before"]
    assert (before > 10, before + report["events_compared"]) == (True, whole)
    assert not state.exists()
    assert verify(servers(audit), EVENTS_ONLY, state)["resumed"] is None


def test_a_state_of_another_database_is_refused(audit: Audit, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(
        json.dumps({"version": 1, "identity": {}, "good_to": [], "events": 0, "scratch": None})
    )
    with pytest.raises(UsageError, match="another"):
        verify(servers(audit), EVENTS_ONLY, state)


def test_without_a_registry_events_are_read_by_the_stored_schemas(audit: Audit) -> None:
    of = servers(audit)
    away = of.shared.model_copy(update={"registry_url": "http://127.0.0.1:1/nobody"})
    report = verify(Servers(away, of.database, of.auditor), Asked())
    assert report["differences"] == 0
    # Garbage names no schema; what can be read is read by what is stored.
    assert report["content_unjudged"] == 0
    assert report["schemas_unverified_because"] == report["tables_skipped_because"] is not None


def test_compliance_staff_verify_the_events(audit: Audit) -> None:
    of = servers(audit)
    staff = AuditorSettings(reader_role="tradetrail_compliance")
    assert verify(Servers(of.shared, of.database, staff), EVENTS_ONLY)["differences"] == 0


def test_a_live_auditor_gives_no_false_alarm(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with audit_of(fresh_log(stack), stack.addresses.postgres_dsn) as audit:
        events = story.placed_story()
        half = len(events) // 2
        audit.send(events[:half])
        audit.start().wait_ready()
        audit.wait_audited()
        begin, fill = Stored.begin, Scratch.fill

        def later(self: Stored) -> Beginning:
            # The second half of the story comes while the first is judged, in part before the log's ends are asked.
            found = begin(self)
            audit.send(events[half : half + 8])
            audit.wait_audited()
            return found

        def still_later(self: Scratch, *arguments: Any) -> None:
            fill(self, *arguments)
            audit.send(events[half + 8 :])
            audit.wait_audited()

        monkeypatch.setattr(Stored, "begin", later)
        monkeypatch.setattr(Scratch, "fill", still_later)
        report = verify(servers(audit), Asked())
        assert (report["differences"], report["behind"]) == (0, 8), report["findings"]
        assert report["events_compared"] < len(audit.rows("SELECT 1 FROM events"))
        # What it had not come to is judged in the next run.
        monkeypatch.undo()
        assert verify(servers(audit), Asked())["differences"] == 0
