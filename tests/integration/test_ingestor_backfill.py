"""A period cut into windows on a real log: each its own run, gone on with after a failure, each row counted once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from services.ingestor.recording.lock import SourceLock
from services.ingestor.runs.backfill import Plan, backfill
from services.ingestor.sources.quiver import Window
from tests.contract.quiver_server import Client, SmallWorld, congress_row, insider_row, quiver
from tests.eventually import eventually
from tests.integration.ingestor_harness import CONGRESS, INSIDER, Ingestor, ingestor
from tradetrail.events.generated import (
    ApiCallRecorded,
    DisclosureRecorded,
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
)
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 20)
# One row a day, and one whose day can't be read, so far back that a run of the newest days does not meet it.
ROWS = [
    *(congress_row(f"2024-01-{day:02}", Description=str(day)) for day in range(1, 21)),
    congress_row("2024-01-02", Description="undated", ReportDate="soon"),
]
INSIDERS = [insider_row(f"2024-01-{day:02}T08:00:00.000") for day in range(1, 21)]
OWN: dict[str, Any] = {
    "backfill_congress_days": 5,
    "backfill_insider_days": 5,
    "bulk_page_size": 4,
}
SETTINGS = {f"TRADETRAIL_INGESTOR_{name.upper()}": str(value) for name, value in OWN.items()}


@pytest.fixture
def client() -> Iterator[Client]:
    with quiver(SmallWorld(list(ROWS), list(INSIDERS)), "2024-02-01T12:00:00Z") as running:
        yield running


@pytest.fixture
def here(log: SharedSettings, client: Client) -> Iterator[Ingestor]:
    with ingestor(log, client, **OWN) as made:
        yield made


class Heard:
    """Keeps what a backfill tells; breaks the vendor before one of the windows."""

    def __init__(self, client: Client, breaks_at: int = 0) -> None:
        self._client = client
        self._breaks_at = breaks_at
        self.plans: list[Plan] = []
        self.fetched: list[int] = []

    def planned(self, plan: Plan) -> None:
        self.plans.append(plan)

    def began(self, number: int, window: Window) -> None:
        if number == self._breaks_at:
            self._client.arm("status", status=500, path="/beta/*")

    def ended(self, number: int, window: Window, outcome: Any, totals: Any) -> None:
        self.fetched.append(totals.fetched)


def days_of(here: Ingestor) -> list[tuple[str, str]]:
    return [
        (str(run.data_date_start), str(run.data_date_end))
        for run in here.events(IngestionRunStarted)
    ]


def test_a_failed_window_stops_it_and_the_same_command_goes_on_from_there(
    here: Ingestor, client: Client
) -> None:
    parts = here.parts
    first = backfill(parts, CONGRESS, FIRST, LAST, show=Heard(client, breaks_at=3))
    assert first.failed_window == first.plan.windows[2]
    assert "vendor_error" in (first.error or "")
    assert [outcome.error is None for outcome in first.outcomes] == [True, True, False]
    assert first.totals.created == 11
    heard = Heard(client)
    second = backfill(parts, CONGRESS, FIRST, LAST, show=heard)
    assert second.failed_window is None
    assert heard.plans[0].missing == (2, 3)
    assert heard.plans[0].since == here.events(IngestionRunCompleted)[0].occurred_at
    assert heard.fetched == [5, 10]
    assert (second.totals.created, second.totals.skipped) == (10, 0)
    windows = [("01", "05"), ("06", "10"), ("11", "15"), ("11", "15"), ("16", "20")]
    assert days_of(here) == [(f"2024-01-{a}", f"2024-01-{b}") for a, b in windows]
    assert len(here.events(DisclosureRecorded)) == len(ROWS)
    # All windows are done as often: the command is a new one.
    third = backfill(parts, CONGRESS, FIRST, LAST)
    assert third.plan.missing == (0, 1, 2, 3)
    assert (third.totals.fetched, third.totals.skipped) == (len(ROWS), len(ROWS))
    assert len(here.events(DisclosureRecorded)) == len(ROWS)


def test_every_record_points_to_a_call_of_its_own_run_and_undated_rows_count_once(
    here: Ingestor, client: Client
) -> None:
    outcome = backfill(here.parts, CONGRESS, FIRST, LAST)
    assert outcome.totals.fetched == outcome.totals.created == len(ROWS)
    calls = {call.call_id: call.run_id for call in here.events(ApiCallRecorded)}
    records = here.events(DisclosureRecorded)
    assert all(calls[record.api_call_id] == record.run_id for record in records)
    first = here.events(IngestionRunStarted)[0]
    undated = [record for record in records if record.reported_on is None]
    assert [record.run_id for record in undated] == [first.run_id]
    # A single run over the same days finds the same rows.
    with ingestor(here.log, client, bulk_page_size=4) as other:
        single = backfill(other.parts, CONGRESS, FIRST, LAST)
    assert len(single.plan.windows) == 1
    assert (single.totals.fetched, single.totals.skipped) == (len(ROWS), len(ROWS))


def test_a_backfill_ends_when_another_run_holds_the_lock_or_the_process_is_to_stop(
    log: SharedSettings, client: Client
) -> None:
    with ingestor(log, client, **OWN, lock_wait_s=1.0) as here:
        parts = here.parts
        with SourceLock(parts.settings, parts.topics, "quiverquant_insider", 15):
            held = backfill(parts, INSIDER, FIRST, LAST)
        parts.stop.set()
        stopped = backfill(parts, INSIDER, FIRST, LAST)
    for ended, said in ((held, "already running"), (stopped, "asked to stop")):
        assert ended.outcomes == ()
        assert ended.failed_window == ended.plan.windows[0]
        assert said in (ended.error or "")


def test_windows_run_by_themselves_are_done_and_again_runs_them_too(here: Ingestor) -> None:
    parts, end = here.parts, date(2024, 1, 10)
    assert backfill(parts, INSIDER, FIRST, date(2024, 1, 5)).totals.created == 5
    assert backfill(parts, INSIDER, FIRST, end).plan.missing == (1,)
    again = backfill(parts, INSIDER, FIRST, end, again=True)
    assert (again.totals.fetched, again.totals.skipped) == (10, 10)


def test_the_command_tells_a_line_per_window_goes_on_and_sums_up(
    here: Ingestor, client: Client
) -> None:
    period = (INSIDER, "--from", "2024-01-01", "--to", "2024-01-10")
    client.arm("status", status=500, path="/beta/*", skip=5)
    code, out, err = here.once(*period, **SETTINGS)
    assert code == 1
    assert out.startswith("backfill stopped: 1 of 2 windows done, 1 of them now: 5 fetched, ")
    assert "window 1 of 2, 2024-01-01 to 2024-01-05: 5 fetched, 5 created" in err
    last = err.splitlines()[-1]
    assert last.startswith("tradetrail: window 2024-01-06 to 2024-01-10 failed: vendor_error: ")
    assert last.endswith("the same command goes on from there")
    code, out, err = here.once(*period, **SETTINGS)
    assert code == 0, err
    assert "continuing: 1 of 2 windows are done since 2024-02-01 12:00 UTC; --again runs" in err
    assert out == (
        "backfill completed: 2 of 2 windows done, 1 of them now: 5 fetched, 5 created, 0 updated, 0 skipped, "
        "5 flagged\n"
    )


def test_a_stopped_backfill_records_its_run_as_stopped(here: Ingestor, client: Client) -> None:
    client.arm("slow", path="/beta/*", chunks=10, delay_s=0.3, count=50)
    period = ("--from", "2024-01-01", "--to", "2024-01-10")
    with here.start("--once", INSIDER, *period, **SETTINGS) as process:
        try:
            eventually(lambda: here.events(ApiCallRecorded))
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 1
    assert "goes on from there" in err.splitlines()[-1]
    (failed,) = here.events(IngestionRunFailed)
    assert failed.error_code == "stopped"


def test_days_that_are_still_to_come_are_refused_by_the_ingestors_clock(here: Ingestor) -> None:
    code, out, err = here.once(
        *(CONGRESS, "--from", "2024-01-05", "--to", "2024-02-02"), TRADETRAIL_LOG_LEVEL="warning"
    )
    assert code == 2
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("tradetrail: --to 2024-02-02 is after today, 2024-02-01 ")
    assert here.events(IngestionRunStarted) == []


def test_a_run_waits_for_its_turn_and_is_told_when_that_is_too_far_away(
    log: SharedSettings, client: Client
) -> None:
    classes = [{"prefix": "/beta/live/insiders", "requests": 3, "per_s": 5}]
    with ingestor(log, client, rate_classes=classes) as here:
        began = time.monotonic()
        outcome = backfill(here.parts, INSIDER, FIRST, date(2024, 1, 5))
        # Five requests, three in five seconds: the fourth waits for the first to be five seconds old.
        assert time.monotonic() - began >= 5
        assert outcome.totals.created == 5
        left = [call.rate_limit_remaining for call in here.events(ApiCallRecorded)]
        assert left[:4] == [2, 1, 0, 0]
    told = json.dumps([{"prefix": "/beta/", "requests": 1, "per_s": 9_000}])
    with ingestor(log, client) as here:
        code, _, err = here.once(
            *(INSIDER, "--from", "2024-01-01", "--to", "2024-01-02"),
            TRADETRAIL_INGESTOR_RATE_CLASSES=told,
        )
    assert code == 1
    assert "rate_limited: /beta/live/insiders was not asked" in err
