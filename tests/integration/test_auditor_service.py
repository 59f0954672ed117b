"""A real auditor on a real log and database: everything is kept once, nothing stops it for good."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from tests import auditor_story as story
from tests.eventually import eventually
from tests.integration.auditor_harness import Audit, audit_of
from tests.integration.cut_proxy import CutProxy
from tradetrail.events import Event
from tradetrail.log.event_hash import event_hash
from tradetrail.log.kafka import open_producer
from tradetrail.log.reader import read_all
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack


@pytest.fixture
def audit(log: SharedSettings, stack: object) -> Iterator[Audit]:
    """Return an audit of this test's log in a schema of its own."""
    with audit_of(log, stack.addresses.postgres_dsn) as made:  # type: ignore[attr-defined]
        yield made


def disclosures(count: int, salt: object = "") -> list[tuple[str, str, Event]]:
    """Return disclosures of a few symbols in both groups."""
    symbols = ("AAPL", "MSFT", "IBM", "GE", "F", "T")
    return [
        ("megacap" if s in ("AAPL", "MSFT") else "default", s, story.disclosure(f"{salt}{n}", s))
        for n, s in ((n, symbols[n % len(symbols)]) for n in range(count))
    ]


def test_every_event_is_kept_byte_for_byte_and_projected(audit: Audit) -> None:
    audit.send(story.placed_story())
    auditor = audit.start().wait_ready()
    audit.wait_audited()
    assert audit.differences() == []
    hashes = {
        (m.topic, m.partition, m.offset): event_hash(m)
        for m in read_all(audit.log, audit.topics.all())
    }
    assert {
        r[:3]: r[3] for r in audit.rows('SELECT topic, partition, "offset", hash FROM events')
    } == hashes
    statuses = dict(audit.rows("SELECT decision_id, status FROM trade_decisions"))
    expected = {"d1": "executed", "d2": "failed", "d3": "failed", "d4": "executed"}
    assert statuses == {story.an_id("d", name): status for name, status in expected.items()}
    assert audit.rows("SELECT run_id, status FROM data_ingestion_runs ORDER BY run_id") == [
        ("run-1", "completed"),
        ("run-2", "failed"),
        ("run-c", None),
    ]
    count = "findings->0->'details'->>'count'"
    assert audit.rows(f"SELECT {count} FROM data_ingestion_runs ORDER BY run_id") == [
        ("1",),
        (None,),
        (None,),
    ]
    assert audit.rows("SELECT count(*) FROM quiver_trades") == [(8,)]
    assert audit.rows("SELECT count(*) FROM schemas")[0][0] >= 15
    eventually(auditor.health, lambda found: found.json()["lag_records"] == 0)
    assert auditor.stop() == 0


def test_a_second_schema_gets_the_same_rows(audit: Audit) -> None:
    audit.send(story.placed_story())
    first = audit.start(AUDITOR_BATCH_EVENTS_MAX="3").wait_ready()
    audit.wait_audited()
    rows = audit.tables()
    first.stop()
    with audit_of(audit.log, audit.dsn) as again:
        again.start().wait_ready()
        again.wait_audited()
        assert again.tables() == rows
        assert all(rows[name] for name in rows if name != "dead_letters")


def test_poison_goes_to_dead_letters_and_the_rest_goes_on(audit: Audit) -> None:
    topic = audit.topics.trade()[0]
    raw = open_producer(audit.log)
    for value in (None, b"", b"garbage", b"\x00\xff\xff\xff\xffabc"):
        raw.produce(topic, key=b"AAPL", value=value, partition=0)
    raw.produce(audit.topics.ingestor_state, key=b"gone", value=None, partition=0)
    raw.flush(10)
    broken = audit.producer._codec.encode(story.disclosure("x"))[:-3]
    raw.produce(topic, key=b"AAPL", value=broken, partition=0)
    raw.flush(10)
    good = story.disclosure("good")
    nul = story.disclosure("nul", person="Nancy\x00Pelosi")
    # Longer than an index takes, and not to be compressed.
    huge = story.disclosure("huge", "".join(story.an_id(n) for n in range(400)))
    nameless = replace(story.disclosure("nameless"), event_id="nobody")
    audit.send([("megacap", "AAPL", event) for event in (nul, good, huge, nameless)])
    auditor = audit.start().wait_ready()
    audit.wait_audited()
    assert audit.differences() == []
    letters = audit.rows(
        "SELECT reason_code, event_id IS NOT NULL FROM dead_letters ORDER BY source_partition, source_offset"
    )
    assert Counter(code for code, _ in letters) == {
        "no_body": 2,
        "not_avro": 1,
        "unknown_schema": 1,
        "broken_body": 1,
        "not_storable": 3,
    }
    assert all(published for _, published in letters)
    kept = dict(audit.rows("SELECT record_id, politician_name FROM congress_trades"))
    assert kept == {good.record_id: "Nancy Pelosi"}
    unreadable = "SELECT count(*) FROM events WHERE type IS NULL AND topic <> %(state)s"
    assert audit.rows(unreadable, state=audit.topics.ingestor_state) == [(8,)]
    assert audit.rows("SELECT count(*) FROM events WHERE type = 'EventDeadLettered'") == [(8,)]
    assert auditor.stop() == 0


def test_kill_and_freeze_anywhere_lose_and_double_nothing(audit: Audit) -> None:
    rng = random.Random(7)
    sent = 0
    auditor = audit.start(AUDITOR_BATCH_EVENTS_MAX="200")
    for turn in range(6):
        audit.send(disclosures(2_000, salt=turn))
        sent += 2_000
        time.sleep(rng.uniform(0.2, 1.5))
        auditor.kill()
        auditor = audit.start(AUDITOR_BATCH_EVENTS_MAX="200")
    audit.wait_audited()
    assert audit.differences() == []
    assert audit.rows("SELECT count(*) FROM congress_trades") == [(sent,)]


def test_two_auditors_share_the_log_and_one_takes_over(audit: Audit) -> None:
    first, second = audit.start(), audit.start()
    first.wait_ready()
    second.wait_ready()

    def held() -> list[int]:
        return [len(each.health().json()["positions"]) for each in (first, second)]

    eventually(held, lambda counts: min(counts) > 0 and sum(counts) == 15)
    audit.send(disclosures(3_000, salt="a"))
    first.process.send_signal(signal.SIGSTOP)
    audit.send(disclosures(3_000, salt="b"))
    audit.wait_audited()
    first.process.send_signal(signal.SIGCONT)
    audit.send(disclosures(1_000, salt="c"))
    audit.wait_audited()
    assert audit.differences() == []
    assert audit.rows("SELECT count(*) FROM congress_trades") == [(7_000,)]
    assert first.stop() == 0
    assert second.stop() == 0


def test_the_database_away_for_a_while(audit: Audit) -> None:
    with CutProxy(*_address(audit.dsn)) as proxy:
        dsn = psycopg.conninfo.make_conninfo(audit.dsn, host="127.0.0.1", port=proxy.port)
        auditor = audit.start(POSTGRES_DSN=dsn, AUDITOR_READY_LAG_AGE_S_MAX="3").wait_ready()
        audit.send(disclosures(100, salt="before"))
        audit.wait_audited()
        proxy.cut()
        audit.send(disclosures(5_000, salt="during"))
        answer = eventually(auditor.health, lambda found: bool(found.json()["trouble"]))
        assert "away" in answer.json()["trouble"]
        eventually(auditor.health, lambda found: found.status_code == 503)
        proxy.mend()
        audit.wait_audited()
        eventually(auditor.health, lambda found: found.status_code == 200)
        assert audit.differences() == []
        proxy.cut_mid_stream(after_bytes=100_000)
        audit.send(disclosures(5_000, salt="after"))
        audit.wait_audited()
        assert audit.differences() == []
        assert auditor.stop() == 0


def test_the_database_away_at_the_start(audit: Audit) -> None:
    audit.send(disclosures(50))
    with CutProxy(*_address(audit.dsn)) as proxy:
        proxy.cut()
        dsn = psycopg.conninfo.make_conninfo(audit.dsn, host="127.0.0.1", port=proxy.port)
        auditor = audit.start(POSTGRES_DSN=dsn)
        eventually(auditor.health, lambda found: bool(found.json()["trouble"]))
        proxy.mend()
        audit.wait_audited()
        assert audit.differences() == []
        assert auditor.stop() == 0


def test_sessions_terminated_by_an_administrator(audit: Audit) -> None:
    audit.start(AUDITOR_BATCH_EVENTS_MAX="100").wait_ready()
    for turn in range(10):
        audit.send(disclosures(500, salt=turn))
        audit.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tradetrail-auditor'"
        )
    audit.wait_audited()
    assert audit.differences() == []


def test_positions_set_back_by_hand_double_nothing(audit: Audit) -> None:
    audit.send(story.placed_story())
    auditor = audit.start().wait_ready()
    audit.wait_audited()
    rows = audit.tables()
    auditor.stop()
    with psycopg.connect(audit.dsn, options=f"-c search_path={audit.schema}") as connection:
        connection.execute("UPDATE positions SET next_offset = 0")
    audit.start().wait_ready()
    audit.wait_audited()
    assert audit.differences() == []
    assert audit.tables() == rows


def _address(dsn: str) -> tuple[str, int]:
    found = psycopg.conninfo.conninfo_to_dict(dsn)
    return str(found["host"]), int(found["port"] or 5432)
