"""Audit tables made again from the log: the same rows, whatever stands in the log and whoever writes meanwhile."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from services.auditor.rebuild.asked import Asked
from services.auditor.settings import AuditorSettings
from services.auditor.verify.asked import Window
from tests import auditor_story as story
from tests.eventually import eventually
from tests.integration.auditor_harness import Audit
from tests.integration.rebuilding import (
    WHO,
    begun,
    disclosures,
    drop,
    ended,
    execute,
    first_of,
    rebuild,
    rebuild_here,
    rebuildable,
    refilled,
    schemas,
)
from tradetrail.errors import UsageError
from tradetrail.log.kafka import open_producer
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

WAITING: LiteralString = (
    "SELECT pid FROM pg_locks WHERE NOT granted AND mode = 'ExclusiveLock' "
    "AND relation = 'positions'::regclass"
)


@pytest.fixture
def audit(log: SharedSettings, stack: Any) -> Iterator[Audit]:
    """Return an audit of this test's log in a schema of its own."""
    with rebuildable(log, stack.addresses.postgres_dsn) as made:
        yield made


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
    report = rebuild_here(audit, Window())
    assert report["differences"] == 0
    assert sum(each["live_rows"] for each in report["tables"]) > 100
    execute(audit, "UPDATE trade_decisions SET quantity = quantity + 1 WHERE quantity IS NOT NULL")
    rows = audit.tables()
    code, report, said = rebuild(audit)
    assert code == 1, said
    assert (report["first"]["table"], report["first"]["column"]) == ("trade_decisions", "quantity")
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
    with begun(audit, "--apply", *WHO) as process:
        # Events arrive until the rebuild has ended, so some arrive at every step of it; no faster than auditors with
        # small batches write them, or the end that the rebuild is to reach would run away from it.
        turn = 0
        while process.poll() is None:
            audit.send(disclosures(12, salt=turn))
            turn += 1
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        code, report, said = ended(process)
    assert code == 0, said
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


def test_a_killed_rebuild_leaves_the_live_schema_and_the_next_one_cleans_up(audit: Audit) -> None:
    audit.send(story.placed_story())
    auditor = audit.start().wait_ready()
    audit.wait_audited()
    rows = audit.tables()
    scratch = f"{audit.schema}_rebuild"
    with psycopg.connect(audit.dsn) as blocker:
        # It can't get past the comparison, nor past the swap, while someone holds a position.
        blocker.execute(
            sql.SQL("SELECT FROM {}.positions FOR UPDATE").format(sql.Identifier(audit.schema))
        )
        with begun(audit, "--apply", *WHO):
            eventually(lambda: audit.rows(WAITING), lambda rows: rows != [], within_s=120)
            code, _, said = rebuild(audit)
            assert code == 1, said
            assert "another rebuild" in said
    assert {audit.schema, scratch} == schemas(audit)
    audit.wait_audited()
    assert {n: r for n, r in audit.tables().items() if n != "operator_acts"} == {
        n: r for n, r in rows.items() if n != "operator_acts"
    }

    def again() -> tuple[int, dict[str, Any], str]:
        return rebuild(audit)

    # The server ends what the killed one had under way within seconds.
    code, report, said = eventually(
        again, lambda answer: "another rebuild" not in answer[2], within_s=120, every_s=1
    )
    assert (code, report["differences"]) == (0, 0), said
    assert schemas(audit) == {audit.schema}
    assert auditor.stop() == 0


def test_a_swap_that_would_lose_something_is_refused(audit: Audit) -> None:
    audit.start().wait_ready()
    audit.wait_audited()
    outside = f"{audit.schema}_outside"
    with pytest.raises(UsageError, match="--as WHO"):
        Asked(Window(), apply=True)
    execute(
        audit,
        f"CREATE SCHEMA {outside}",
        f"CREATE VIEW {outside}.mine AS SELECT * FROM trade_decisions",
    )
    with pytest.raises(UsageError, match=rf"{outside}\.mine"):
        rebuild_here(audit, Window(), "ann")
    drop(audit, outside)
    execute(audit, "CREATE TABLE notes (text text)")
    with pytest.raises(UsageError, match="notes"):
        rebuild_here(audit, Window(), "ann")
    execute(audit, "DROP TABLE notes", "GRANT SELECT ON alerts TO pg_monitor")
    code, report, said = rebuild(audit, "--apply", *WHO, "--drop-old")
    assert (code, report["old_schema_kept"]) == (0, False), said
    granted = "SELECT has_table_privilege('pg_monitor', 'alerts', 'SELECT')"
    assert audit.rows(granted) == [(True,)]
    audit.wait_audited()
    assert schemas(audit) == {audit.schema}
    assert audit.differences() == []
