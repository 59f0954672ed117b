"""The judge of the auditor campaign finds what it is there for: databases doctored in each way are told of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest

from tests.faults.auditor_checks import Letter, audited, row_violations, violations_of
from tests.faults.auditor_log import Raw, RawLog, read_log
from tests.faults.auditor_publisher import Publisher
from tests.faults.auditor_unbroken import write_unbroken
from tests.integration.auditor_harness import audit_of
from tests.integration.fresh_log import fresh_log
from tradetrail.log.codec import Codec
from tradetrail.log.topics import Topics
from tradetrail.stack.local import LocalStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

_MEGACAP: LiteralString = "topic LIKE '%megacap' AND partition = 0"
# What a superuser may do to a database that must have been made by auditors alone; each names what must be told of.
DOCTORED: dict[str, tuple[LiteralString, str]] = {
    "event-missing": (
        (
            'DELETE FROM events WHERE (topic, partition, "offset") = '
            "(SELECT topic, partition, 3 FROM events WHERE type = 'DisclosureRecorded' LIMIT 1)"
        ),
        "missing [3]",
    ),
    "newest-missing": (
        (
            'DELETE FROM events WHERE (topic, partition, "offset") IN '
            '(SELECT topic, partition, max("offset") FROM events GROUP BY 1, 2)'
        ),
        "missing [",
    ),
    "event-extra": (
        (
            'INSERT INTO events (month, topic, partition, "offset", available_at, hash) '
            "SELECT month, topic, partition, 1000000, available_at, hash FROM events LIMIT 1"
        ),
        "extra [1000000]",
    ),
    "event-in-two-months": (
        (
            "SELECT ensure_events_month('1999-01-01'); "
            'INSERT INTO events (month, topic, partition, "offset", available_at, hash) '
            "SELECT date '1999-01-01', topic, partition, \"offset\", available_at, hash "
            "FROM events LIMIT 1"
        ),
        "doubled 1",
    ),
    "hash-changed": (
        "UPDATE events SET hash = decode(repeat('00', 32), 'hex') WHERE \"offset\" = 2",
        "altered [2]",
    ),
    "bytes-changed": ("UPDATE events SET value = value || 'x' WHERE \"offset\" = 2", "events:"),
    "symbol-changed": ("UPDATE events SET symbol = 'XYZ' WHERE symbol = 'IBM'", "events:"),
    "offset-changed": (
        "UPDATE events SET \"offset\" = 999999 WHERE type = 'IngestionRunStarted'",
        "extra [999999]",
    ),
    "two-swapped": (
        (
            f'UPDATE events SET "offset" = -1 WHERE "offset" = 2 AND {_MEGACAP}; '
            f'UPDATE events SET "offset" = 2 WHERE "offset" = 3 AND {_MEGACAP}; '
            f'UPDATE events SET "offset" = 3 WHERE "offset" = -1 AND {_MEGACAP}'
        ),
        "altered [2, 3]",
    ),
    "position-behind": (
        "UPDATE positions SET next_offset = next_offset - 1 WHERE topic LIKE '%runs'",
        "its end in the log",
    ),
    "position-ahead": (
        "UPDATE positions SET next_offset = next_offset + 1 WHERE topic LIKE '%runs'",
        "its end in the log",
    ),
    "position-missing": ("DELETE FROM positions WHERE topic LIKE '%runs'", "position of"),
    "position-extra": ("INSERT INTO positions VALUES ('elsewhere', 0, 1)", "no part of the log"),
    "letter-missing": ("DELETE FROM dead_letters", "no dead letter of"),
    "letter-extra": (
        (
            "INSERT INTO dead_letters (source_topic, source_partition, source_offset, occurred_at) "
            "VALUES ('t', 0, 1, now())"
        ),
        "which can be read",
    ),
    "letter-unpublished": ("UPDATE dead_letters SET occurred_at = NULL", "never published"),
    "row-missing": ("DELETE FROM trade_execution_history", "trade_execution_history: 0 rows"),
    "quantity-changed": (
        (
            "UPDATE trade_decisions SET quantity = quantity + 1 WHERE decision_id = "
            "(SELECT min(decision_id) FROM trade_decisions)"
        ),
        "trade_decisions:",
    ),
    "price-changed": (
        "UPDATE trade_executions SET filled_avg_price = filled_avg_price + 0.01",
        "trade_executions:",
    ),
    "status-changed": (
        (
            "UPDATE trade_decisions SET status = 'failed' WHERE decision_id = "
            "(SELECT max(decision_id) FROM trade_decisions)"
        ),
        "trade_decisions:",
    ),
    "lineage-changed": ("UPDATE decision_sources SET record_offset = 7", "decision_sources:"),
    "two-rows-swapped": (
        "UPDATE politician_profiles SET party = CASE party WHEN 'D' THEN 'R' ELSE 'D' END",
        "politician_profiles:",
    ),
    "table-extra": ("CREATE TABLE more (a int)", "tables differ"),
}


@dataclass
class Judged:
    """A log, what an auditor and an undisturbed one made of it, and where its poison stands."""

    log: RawLog
    dsn: str
    schemas: tuple[str, str]
    poison: list[Letter]

    def violations(self, done: LiteralString) -> list[str]:
        """Judge the auditor's schema after something was done to it; it is undone then."""
        with psycopg.connect(self.dsn, options=f"-c search_path={self.schemas[0]}") as connection:
            # As a superuser who goes round triggers and foreign keys.
            connection.execute("SET session_replication_role = replica")
            connection.execute(done)
            found = violations_of(self.log, audited(connection, self.schemas[0]), self.poison)
            found += row_violations(connection, *self.schemas)
            connection.rollback()
        return found


@pytest.fixture(scope="module")
def judged(stack: LocalStack) -> Iterator[Judged]:
    """Let an auditor write a log, dead letters and all, and one that nobody disturbs as well."""
    settings, dsn = fresh_log(stack), stack.addresses.postgres_dsn
    publisher = Publisher(settings, Codec(settings.registry_url), "checks")
    publisher.publish()
    publisher.publish_aborted()
    with audit_of(settings, dsn) as audit, audit_of(settings, dsn) as other:
        auditor = audit.start(POSTGRES_SCHEMA=audit.schema)
        audit.wait_audited()
        auditor.stop()
        log = read_log(settings.kafka, Topics.of(settings).all())
        write_unbroken(log, settings, dsn, other.schema)
        yield Judged(log, dsn, (audit.schema, other.schema), publisher.poison)


def test_a_database_that_is_the_log_is_in_order(judged: Judged) -> None:
    assert judged.violations("SELECT 1") == []
    assert sum(len(found) for found in judged.log.messages.values()) > 200
    assert len(judged.poison) == 3


@pytest.mark.parametrize(("done", "told"), DOCTORED.values(), ids=DOCTORED)
def test_what_was_done_to_it_is_found(judged: Judged, done: LiteralString, told: str) -> None:
    found = judged.violations(done)
    assert any(told in text for text in found), found


def test_the_judge_hashes_as_the_unchanging_vectors_say() -> None:
    # The same event as in tests/unit/test_event_hash.py.
    event = Raw("trade.default", 3, 42, 1577934245678, b"AAPL", b"\x00\x00\x00\x00\x01body")
    vector = "84f295b84f1a657dac69b208d71044a544f0efa7b0f7bd384f31c86c5c8077a9"
    assert event.hash().hex() == vector
