"""Rows of a data folder (``TRADETRAIL_DATA_DIR``) are rows of the audit database, as many and the same."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.ingestor.sources.quiver import Window
from simulators.world import World, open_world
from tests.contract.quiver_server import quiver
from tests.integration.auditor_harness import audit_of
from tests.integration.ingestor_harness import CONGRESS, INSIDER, ingestor
from tradetrail.settings import SharedSettings

pytestmark = [pytest.mark.stack, pytest.mark.data, pytest.mark.timeout(900)]

# Of each file, which may have tens of thousands: what a test can wait for on a busy machine.
_ROWS_MAX = 600


def _window(days: list[date]) -> Window:
    """Return the last days that have about so many rows together."""
    newest = sorted(days)[-_ROWS_MAX:]
    return Window(newest[0], newest[-1], is_explicit=True)


def _congress(world: World, window: Window) -> list[dict[str, Any]]:
    return [
        dict(row.fields)
        for row in world.congress
        if row.reported_on is None or window.start <= row.reported_on <= window.end
    ]


def test_the_audit_tables_hold_each_row_of_the_files(
    log: SharedSettings, stack: object, data_folder: Path
) -> None:
    world = open_world(data_folder)
    members = _window([row.reported_on for row in world.congress if row.reported_on])
    insiders = _window([row.filed_on for row in world.insiders])
    filed = [r.fields for r in world.insiders if insiders.start <= r.filed_on <= insiders.end]
    reported = _congress(world, members)
    with quiver(world, "2027-01-01T12:00:00Z") as client, ingestor(log, client) as here:
        for task, window in ((CONGRESS, members), (INSIDER, insiders)):
            assert here.run(task, window).error is None
    with audit_of(log, stack.addresses.postgres_dsn) as audit:  # type: ignore[attr-defined]
        auditor = audit.start().wait_ready()
        audit.wait_audited(within_s=180)
        assert audit.differences() == []
        tables = {
            "congress_trades": [row["Ticker"] for row in reported],
            "insider_trades": [row["Ticker"] for row in filed],
        }
        for table, tickers in tables.items():
            [(rows, records)] = audit.rows(
                f"SELECT count(*), count(DISTINCT record_id) FROM {table}"
            )
            assert rows == records == len(tickers), table
            told = audit.rows(f"SELECT ticker_text FROM {table}")
            assert Counter(t for (t,) in told) == Counter(tickers), table
        count = len(reported) + len(filed)
        assert audit.rows("SELECT count(*) FROM quiver_trades") == [(count,)]
        assert audit.rows("SELECT count(*) FROM data_ingestion_run_records") == [(count,)]
        assert audit.rows(
            "SELECT sum(records_created), count(*) FROM data_ingestion_runs WHERE status = 'completed'"
        ) == [(count, 2)]
        assert audit.rows("SELECT count(*) FROM dead_letters") == [(0,)]
        assert auditor.stop() == 0
