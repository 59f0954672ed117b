"""What the log's runs say: which days are still to be fetched, which slots have run, which windows are done."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from services.ingestor.known.runbook import CommandRuns, RunBook
from tradetrail.events.generated import (
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
    RunTrigger,
)
from tradetrail.ids import derive_id

CONGRESS = "data_fetch:congress_daily"


class Log:
    """A book that is told of one run after the other."""

    def __init__(self) -> None:
        self.book = RunBook()
        self._count = 0

    def run(
        self,
        on: str,
        start: str,
        end: str,
        trigger: RunTrigger = RunTrigger.SCHEDULE,
        error_code: str | None = None,
    ) -> None:
        """Tell of a run that began at 12:00 UTC ``on`` a day, for the days from ``start`` to ``end``, and ended."""
        self._count += 1
        run_id = str(derive_id("run", self._count))
        shared: dict[str, Any] = {
            "occurred_at": noon(on),
            "service": "ingestor",
            "service_version": "1",
            "instance": "test",
            "run_id": run_id,
            "task_name": CONGRESS,
            "data_source": "quiverquant_congress",
        }
        days: dict[str, Any] = {
            "data_date_start": date.fromisoformat(start),
            "data_date_end": date.fromisoformat(end),
        }
        self.book.take(
            IngestionRunStarted(
                event_id=f"{run_id}s",
                trigger=trigger,
                requested_by="test",
                configuration_hash="",
                **shared,
                **days,
            )
        )
        if error_code is not None:
            self.book.take(
                IngestionRunFailed(
                    event_id=f"{run_id}f",
                    started_at=noon(on),
                    error_code=error_code,
                    error_message="",
                    error_details="{}",
                    records_fetched=0,
                    **shared,
                )
            )
            return
        self.book.take(
            IngestionRunCompleted(
                event_id=f"{run_id}c",
                started_at=noon(on),
                records_fetched=0,
                records_created=0,
                records_updated=0,
                records_skipped=0,
                records_flagged=0,
                flags={},
                ingested_record_ids=(),
                **shared,
                **days,
            )
        )

    def uncovered(self) -> str | None:
        """Return the first day that is still to be fetched."""
        day = self.book.uncovered_from(CONGRESS)
        return None if day is None else day.isoformat()


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


def test_a_run_leaves_its_own_day_to_the_next_one() -> None:
    log = Log()
    assert log.uncovered() is None
    log.run("2024-03-05", "2024-02-27", "2024-03-05")
    assert log.uncovered() == "2024-03-05"
    log.run("2024-03-06", "2024-02-28", "2024-03-06", error_code="vendor_error")
    assert log.uncovered() == "2024-03-05"


def test_a_run_of_today_alone_hides_no_days_before_it() -> None:
    log = Log()
    log.run("2024-03-05", "2024-02-27", "2024-03-05")
    log.run("2024-03-25", "2024-03-25", "2024-03-25", RunTrigger.COMMAND)
    log.run("2024-03-26", "2024-03-25", "2024-03-26", RunTrigger.COMMAND)
    assert log.uncovered() == "2024-03-05"


def test_windows_that_fill_the_days_since_are_not_fetched_again() -> None:
    log = Log()
    log.run("2024-03-05", "2024-02-27", "2024-03-05")
    log.run("2024-03-25", "2024-03-05", "2024-03-11", RunTrigger.COMMAND)
    assert log.uncovered() == "2024-03-12"
    log.run("2024-03-25", "2024-03-12", "2024-03-25", RunTrigger.COMMAND)
    assert log.uncovered() == "2024-03-25"


def test_a_backfill_of_old_days_does_not_make_the_daily_run_reach_back_to_them() -> None:
    log = Log()
    log.run("2024-03-05", "2015-01-01", "2015-12-31", RunTrigger.COMMAND)
    assert log.uncovered() is None
    log.run("2024-03-05", "2024-02-27", "2024-03-05")
    assert log.uncovered() == "2024-03-05"


def test_a_slot_has_run_only_if_the_run_reached_its_own_day() -> None:
    log = Log()
    log.run("2024-03-05", "2015-01-01", "2015-12-31", RunTrigger.COMMAND)
    slot = datetime(2024, 3, 5, 11, 0, tzinfo=UTC)
    assert not log.book.has_begun_since(CONGRESS, slot, but_abandoned=False)
    log.run("2024-03-05", "2024-03-05", "2024-03-05", RunTrigger.COMMAND, "abandoned")
    assert log.book.has_begun_since(CONGRESS, slot, but_abandoned=False)
    assert not log.book.has_begun_since(CONGRESS, slot, but_abandoned=True)


def test_only_runs_of_the_schedule_tell_when_it_last_ran() -> None:
    log = Log()
    log.run("2024-03-05", "2024-02-27", "2024-03-05")
    log.run("2024-03-06", "2024-02-28", "2024-03-06", RunTrigger.COMMAND)
    assert log.book.last_scheduled_at(CONGRESS) == noon("2024-03-05")


def test_completed_runs_by_command_are_counted_by_their_days() -> None:
    log = Log()
    days = ("2024-01-01", "2024-01-07")
    log.run("2024-03-05", *days)
    log.run("2024-03-05", *days, RunTrigger.COMMAND, "vendor_error")
    log.run("2024-03-06", *days, RunTrigger.COMMAND)
    log.run("2024-03-07", *days, RunTrigger.COMMAND)
    log.run("2024-03-08", "2024-01-01", "2024-01-08", RunTrigger.COMMAND)
    start, end = (date.fromisoformat(day) for day in days)
    assert log.book.command_runs(CONGRESS, start, end) == CommandRuns(2, noon("2024-03-07"))
    assert log.book.command_runs(CONGRESS, start, start) == CommandRuns()
