"""A verification killed while it projects the log again: what it left half-filled is gone on with, or made anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from services.auditor.refilling.servers import Servers
from services.auditor.settings import AuditorSettings
from services.auditor.verify.asked import Asked
from services.auditor.verify.run import verify
from services.auditor.verify.scratch import opened
from tests import auditor_story as story
from tests.eventually import eventually
from tests.integration.auditor_harness import Audit, audited_log
from tradetrail.log.reader import Place
from tradetrail.reports.connection import DatabaseSettings

pytestmark = pytest.mark.stack

# Small batches, so that the log is projected in many transactions.
BATCH_EVENTS = 4
# Dies as the product's own breakpoints let an auditor die: within a transaction, by SIGKILL.
DYING = """
import sys
from services.auditor import breakpoints
from services.auditor.verify.entry import main
breakpoints.arm(sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def audit(stack: Any) -> Iterator[Audit]:
    """Return a story's log and its audited database; no auditor runs any more."""
    with audited_log(stack, story.placed_story()) as (made, auditor):
        assert auditor.stop() == 0
        yield made


def servers(audit: Audit) -> Servers:
    """Return the settings of an audit."""
    database = DatabaseSettings(postgres_dsn=audit.dsn, postgres_schema=audit.schema)
    return Servers(audit.log, database, AuditorSettings())


def killed(audit: Audit, passage: int, state: Path) -> tuple[str, dict[Place, int]]:
    """Verify until it is killed before it commits that batch; return the scratch schema's oid and positions."""
    env = {
        "TRADETRAIL_KAFKA": audit.log.kafka,
        "TRADETRAIL_REGISTRY_URL": audit.log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": audit.log.topic_prefix,
        "TRADETRAIL_POSTGRES_DSN": audit.dsn,
        "TRADETRAIL_POSTGRES_SCHEMA": audit.schema,
        "TRADETRAIL_AUDITOR_BATCH_EVENTS_MAX": str(BATCH_EVENTS),
    }
    done = subprocess.run(
        [sys.executable, "-c", DYING, f"before_commit:{passage}", f"--state={state}"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == -signal.SIGKILL, (done.returncode, done.stdout, done.stderr)
    await_ended(audit)
    ((oid,),) = audit.rows(
        "SELECT oid::text FROM pg_namespace WHERE nspname = %(name)s", name=scratch_of(audit)
    )
    with opened(servers(audit).database) as scratch:
        return oid, scratch.positions(scratch.name)


def await_ended(audit: Audit) -> None:
    """Wait until Postgres has noticed that who verified is gone."""
    query = (
        "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
        "WHERE relnamespace = to_regnamespace(%(name)s)"
    )
    taken = "SELECT NOT pg_try_advisory_xact_lock(hashtextextended('tradetrail verify ' || %(name)s, 0))"
    eventually(
        lambda: (
            audit.rows(query, name=scratch_of(audit))[0][0],
            audit.rows(taken, name=scratch_of(audit))[0][0],
        ),
        lambda held: held == (0, False),
    )


def scratch_of(audit: Audit) -> str:
    """Return the scratch schema's name."""
    return f"{audit.schema}_verify"


def is_there(audit: Audit) -> bool:
    """Tell whether there is a scratch schema."""
    return bool(audit.rows("SELECT to_regnamespace(%(name)s)", name=scratch_of(audit))[0][0])


def ends_of(audit: Audit) -> int:
    """Return how many offsets the database is past, all partitions together."""
    return int(audit.rows("SELECT sum(next_offset) FROM positions")[0][0])


def assert_clean(audit: Audit, state: Path | None) -> dict[str, Any]:
    """Verify to the end: all tables are compared, nothing differs, nothing is left."""
    report = verify(servers(audit), Asked(), state)
    assert report["differences"] == 0, report["findings"]
    compared = {each["table"]: each["rows"] for each in report["tables"]}
    for table in ("congress_trades", "trade_decisions", "trade_executions", "alpaca_orders"):
        with psycopg.connect(audit.dsn, options=f"-c search_path={audit.schema}") as connection:
            row = connection.execute(f'SELECT count(*) FROM "{table}"'.encode()).fetchone()
        assert row is not None
        assert compared[table] == row[0] > 0
    assert not is_there(audit)
    assert state is None or not state.exists()
    return dict(report)


def test_a_half_filled_scratch_schema_is_filled_on(audit: Audit, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    oid, first = killed(audit, 4, state)
    assert 0 < sum(first.values()) < ends_of(audit)
    # Killed again, one batch further: the same schema, and nothing of it was projected twice.
    again, second = killed(audit, 2, state)
    assert again == oid
    assert all(second[place] >= offset for place, offset in first.items())
    assert sum(first.values()) < sum(second.values()) < ends_of(audit)
    assert assert_clean(audit, state)["resumed"] is not None


def test_without_its_state_a_half_filled_scratch_schema_is_made_anew(
    audit: Audit, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    killed(audit, 4, state)
    # What it says of itself is not believed: else nothing more would be projected, and rows be missing.
    with opened(servers(audit).database) as scratch:
        full = (
            f'UPDATE "{scratch.name}".positions AS s SET next_offset = p.next_offset '
            f'FROM "{scratch.live}".positions AS p WHERE (s.topic, s.partition) = (p.topic, p.partition)'
        )
        scratch.connection.execute(full.encode())
    assert assert_clean(audit, None)["resumed"] is None
    # And the state names a schema that is gone: the tables are projected from the beginning.
    assert assert_clean(audit, state)["resumed"] is not None
