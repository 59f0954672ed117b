"""The run report over runs that the ingestor made of a simulated vendor: what it tells is what happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.quiver_server import Client, SmallWorld, congress_row, quiver
from tests.integration.auditor_harness import Audit, audit_of
from tests.integration.ingestor_harness import CONGRESS, ingestor
from tradetrail.reports.connection import open_reader
from tradetrail.reports.runs import RunFilter, RunStatus, run_report
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

LIVE = "/beta/live/congresstrading"
ROWS = [congress_row("2024-03-05", Description=str(number)) for number in range(6)]


@pytest.fixture
def client() -> Iterator[Client]:
    with quiver(SmallWorld(list(ROWS), [], []), "2024-03-08T12:00:00Z") as running:
        yield running


@pytest.fixture
def audit(stack: Any, log: SharedSettings, client: Client) -> Iterator[Audit]:
    """Return the audit of three runs: one that delivered, one that found nothing new, one that the vendor failed."""
    with audit_of(log, stack.addresses.postgres_dsn) as made:
        with ingestor(log, client) as here:
            here.run(CONGRESS)
            here.run(CONGRESS)
            client.control(fault={"path": LIVE, "kind": "status", "status": 502, "body": "html"})
            here.run(CONGRESS)
        made.start().wait_ready()
        made.wait_audited()
        yield made


def test_what_the_ingestor_did_is_what_the_report_tells(audit: Audit) -> None:
    with open_reader(audit.dsn, audit.schema) as connection:
        report = run_report(connection, RunFilter())
    done = [run for run in report["runs"] if run["status"] == RunStatus.COMPLETED]
    (failed,) = (run for run in report["runs"] if run["status"] == RunStatus.FAILED)
    counts = ("fetched", "created", "updated", "skipped")
    told = sorted(tuple(run[f"records_{name}"] for name in counts) for run in done)
    assert told == [(len(ROWS), 0, 0, len(ROWS)), (len(ROWS), len(ROWS), 0, 0)]
    for run in done:
        assert [call["endpoint"] for call in run["api_calls"]] == [LIVE]
        (call,) = run["api_calls"]
        assert (call["status_code"], call["records_returned"]) == (200, len(ROWS))
        assert call["response_size"] > 0
        assert call["rate_limit_remaining"] is not None
    (refused,) = failed["api_calls"]
    assert failed["error_code"] == "vendor_error"
    assert refused["status_code"] == 502
    assert refused["api_call_id"] in failed["error_details"].values()
    for name in counts:
        column = f"records_{name}"
        assert report["totals"][column] == sum(run[column] or 0 for run in report["runs"])
