"""Rows of a data folder (``TRADETRAIL_DATA_DIR``) are rows of the audit database, as many and the same."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.ingestor.sources.quiver import Window
from simulators.world import open_world
from tests.contract.quiver_server import quiver
from tests.integration.auditor_harness import audit_of
from tests.integration.ingestor_harness import CONGRESS, INSIDER, ingestor
from tradetrail.settings import SharedSettings

# The last rows of each file, which may have tens of thousands: what a test can wait for on a busy machine.
# ``TRADETRAIL_DATA_ROWS=1000000`` takes all (63,000 of them: some minutes).
_ROWS_MAX = int(os.environ.get("TRADETRAIL_DATA_ROWS", "600"))
# What thousands of rows take besides, on a busy machine.
_ROWS_PER_S_MIN = 200
# Well below what one run delivers.
_ROWS_PER_RUN = 15_000

pytestmark = [
    pytest.mark.stack,
    pytest.mark.data,
    pytest.mark.timeout(900 if _ROWS_MAX <= _ROWS_PER_RUN else 3600),
]


def _windows(days: Iterable[date]) -> list[Window]:
    """Return windows, without a gap, over the last days that have about so many rows together."""
    newest = sorted(days)[-_ROWS_MAX:]
    firsts = sorted({newest[at] for at in range(0, len(newest), _ROWS_PER_RUN)})
    lasts = [first - timedelta(days=1) for first in firsts[1:]] + [newest[-1]]
    return [Window(*ends, is_explicit=True) for ends in zip(firsts, lasts, strict=True)]


def test_the_audit_tables_hold_each_row_of_the_files(
    log: SharedSettings, stack: object, data_folder: Path
) -> None:
    world = open_world(data_folder)
    members = _windows(row.reported_on for row in world.congress if row.reported_on)
    insiders = _windows(row.filed_on for row in world.insiders)
    filed = [r.fields for r in world.insiders if r.filed_on >= insiders[0].start]
    # Without a day of report a row is in every answer.
    reported = [
        r.fields
        for r in world.congress
        if r.reported_on is None or r.reported_on >= members[0].start
    ]
    with quiver(world, "2027-01-01T12:00:00Z") as client, ingestor(log, client) as here:
        for task, windows in ((CONGRESS, members), (INSIDER, insiders)):
            for window in windows:
                assert here.run(task, window).error is None
    with audit_of(log, stack.addresses.postgres_dsn) as audit:  # type: ignore[attr-defined]
        auditor = audit.start().wait_ready()
        count = len(reported) + len(filed)
        audit.wait_audited(within_s=180 + count / _ROWS_PER_S_MIN)
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
        assert audit.rows("SELECT count(*) FROM quiver_trades") == [(count,)]
        assert audit.rows("SELECT count(*) FROM data_ingestion_run_records") == [(count,)]
        assert audit.rows(
            "SELECT sum(records_created), count(*) FROM data_ingestion_runs WHERE status = 'completed'"
        ) == [(count, len(members) + len(insiders))]
        assert audit.rows("SELECT count(*) FROM dead_letters") == [(0,)]
        assert auditor.stop() == 0
