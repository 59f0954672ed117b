"""The long-running service: each slot once, by the simulated clock, through restarts and kills."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from services.ingestor.recording.lock import SourceLock
from tests.contract.quiver_server import Client, SmallWorld, congress_row, quiver
from tests.eventually import DEADLINE_S, eventually
from tests.free_port import free_port
from tests.integration.ingestor_harness import CONGRESS, INSIDER, Ingestor, ingestor
from tradetrail.events.generated import (
    DisclosureRecorded,
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
)
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

SCHEDULE = json.dumps([{"task": CONGRESS, "at": "07:00", "days": "sessions"}])
ROWS = [congress_row(f"2024-03-0{day}", Description=str(day)) for day in (4, 5, 6, 7)]


@pytest.fixture
def client() -> Iterator[Client]:
    with quiver(SmallWorld(list(ROWS)), "2024-03-05T11:00:00Z") as running:
        yield running


@pytest.fixture
def here(log: SharedSettings, client: Client) -> Iterator[Ingestor]:
    with ingestor(log, client) as made:
        yield made


class Service:
    """A running service, asked for its health."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self._url = url

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(self._url, timeout=30).json()
        return found

    def done_with(self, instant: str) -> dict[str, Any]:
        """Return the health once every slot up to ``instant`` is handled."""
        wanted = datetime.fromisoformat(instant)

        def is_done(health: dict[str, Any]) -> bool:
            clock = health["clock"]
            return (
                clock is not None
                and datetime.fromisoformat(clock) >= wanted
                and not health["running"]
            )

        return eventually(self.health, is_done)


@contextmanager
def service(here: Ingestor, **env: str) -> Iterator[Service]:
    port = free_port()
    settings = {"TRADETRAIL_INGESTOR_SCHEDULE": SCHEDULE, "TRADETRAIL_HTTP_PORT": str(port)}
    with here.start(**{**settings, **env}) as process:
        try:
            yield Service(process, f"http://127.0.0.1:{port}/health")
        finally:
            process.terminate()
            try:
                process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode in (0, -9)


def test_a_slot_runs_when_its_time_comes_and_not_again(here: Ingestor, client: Client) -> None:
    with service(here) as running:
        health = running.done_with("2024-03-05T11:00:00Z")
        assert health["next_slots"] == {CONGRESS: "2024-03-05T12:00:00+00:00"}
        assert here.events(IngestionRunStarted) == []
        client.control(now="2024-03-05T12:00:00Z")
        health = running.done_with("2024-03-05T12:00:00Z")
        assert health["last_run"]["status"] == "completed"
        client.control(now="2024-03-05T15:00:00Z")
        running.done_with("2024-03-05T15:00:00Z")
        (run,) = here.events(IngestionRunStarted)
    assert run.occurred_at == datetime(2024, 3, 5, 12, 0, tzinfo=UTC)
    assert run.requested_by == "schedule 2024-03-05T12:00:00+00:00"
    with service(here) as running:
        running.done_with("2024-03-05T15:00:00Z")
        assert len(here.events(IngestionRunStarted)) == 1
        client.control(now="2024-03-08T12:00:00Z")
        running.done_with("2024-03-08T12:00:00Z")
        skips = [(one["slot"][:10], one["reason"]) for one in running.health()["skipped"]]
    # Wednesday's and Thursday's slots are over; Friday's run covers their days.
    assert skips == [
        ("2024-03-05", "already_run"),
        ("2024-03-06", "day_over"),
        ("2024-03-07", "day_over"),
    ]
    assert len(here.events(IngestionRunStarted)) == 2
    assert len(here.events(DisclosureRecorded)) == 4


def test_a_failed_slot_is_not_run_again_by_itself(here: Ingestor, client: Client) -> None:
    client.arm("status", status=500, path="/beta/*")
    client.control(now="2024-03-05T12:00:00Z")
    with service(here) as running:
        health = running.done_with("2024-03-05T12:00:00Z")
        assert health["last_run"]["status"] == "failed"
        client.control(now="2024-03-05T13:00:00Z")
        running.done_with("2024-03-05T13:00:00Z")
        assert len(here.events(IngestionRunStarted)) == 1
        client.control(now="2024-03-06T12:00:00Z")
        running.done_with("2024-03-06T12:00:00Z")
    assert len(here.events(DisclosureRecorded)) == 2


@pytest.mark.parametrize(("rerun", "runs"), [("false", 1), ("true", 2)])
def test_a_slot_cut_off_by_a_kill_is_closed_at_the_next_start(
    here: Ingestor, client: Client, rerun: str, runs: int
) -> None:
    client.control(now="2024-03-05T12:00:00Z")
    with service(here, TRADETRAIL_INGESTOR_DIE_AT="before_delivery") as running:
        assert running.process.wait(DEADLINE_S) == -signal.SIGKILL
    with service(here, TRADETRAIL_INGESTOR_RERUN_ABANDONED=rerun) as running:
        running.done_with("2024-03-05T12:00:00Z")
    (failed,) = here.events(IngestionRunFailed)
    assert failed.error_code == "abandoned"
    assert len(here.events(IngestionRunStarted)) == runs
    assert len(here.events(IngestionRunCompleted)) == runs - 1
    assert len(here.events(DisclosureRecorded)) == runs - 1


def test_slots_missed_while_down_and_days_without_a_session_are_said(
    here: Ingestor, client: Client
) -> None:
    client.control(now="2024-03-05T12:00:00Z")
    with service(here) as running:
        running.done_with("2024-03-05T12:00:00Z")
    # Two sessions pass while it is down, and it comes up again on a Saturday.
    client.control(now="2024-03-09T13:00:00Z")
    with service(here) as running:
        health = running.done_with("2024-03-09T13:00:00Z")
        client.control(now="2024-03-10T13:00:00Z")
        on_sunday = running.done_with("2024-03-10T13:00:00Z")
    told = [(one["task"], one["slot"], one["reason"]) for one in health["skipped"]]
    days = [("06", "day_over"), ("07", "day_over"), ("08", "day_over"), ("09", "no_session")]
    assert told == [(CONGRESS, f"2024-03-{day}T12:00:00+00:00", reason) for day, reason in days]
    assert on_sunday["skipped"][-1]["slot"] == "2024-03-10T11:00:00+00:00"
    assert len(here.events(IngestionRunStarted)) == 1


def test_a_slot_whose_lock_is_held_elsewhere_is_skipped_and_said(
    here: Ingestor, client: Client
) -> None:
    client.control(now="2024-03-05T12:00:00Z")
    parts = here.parts
    with (
        SourceLock(parts.settings, parts.topics, "quiverquant_congress", 15) as held,
        service(here, TRADETRAIL_INGESTOR_LOCK_WAIT_S="1") as running,
    ):

        def health() -> dict[str, Any]:
            held.keep()
            return running.health()

        (skip,) = eventually(lambda: health()["skipped"])
        assert (skip["task"], skip["reason"]) == (CONGRESS, "already_running")
        assert "quiverquant_congress" in skip["error"]
        assert running.done_with("2024-03-05T12:00:00Z")["last_run"]["status"] == "skipped"
    assert here.events(IngestionRunStarted) == []


def test_what_a_run_waits_for_is_told(here: Ingestor, client: Client) -> None:
    client.control(now="2024-03-05T12:00:00Z")
    schedule = json.dumps([{"task": INSIDER, "at": "07:00"}])
    classes = json.dumps([{"prefix": "/beta/", "requests": 1, "per_s": 600}])
    with service(
        here,
        TRADETRAIL_INGESTOR_SCHEDULE=schedule,
        TRADETRAIL_INGESTOR_RATE_CLASSES=classes,
    ) as running:
        health = eventually(running.health, lambda health: bool(health.get("waiting")))
        assert "1 requests to /beta/ in 600 s are used up" in health["waiting"]
        assert health["running"]
    # It is asked to stop while it waits.
    (failed,) = here.events(IngestionRunFailed)
    assert failed.error_code == "stopped"
