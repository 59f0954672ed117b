"""Runs of every kind as events, for tests of the run report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests import auditor_story as story
from tradetrail.events import Event
from tradetrail.events import generated as e

DAY = timedelta(days=1)
INSIDER = "data_fetch:insider_daily"
TIED = [f"tied-{n}" for n in range(5)]
# Newest first, then run id, descending. "headless": its start can't be read, so its end is what is known of it.
NEWEST_FIRST = ["r-running", "r-abandoned", "r-failed", "headless", "r-maintained", "r-completed"]
NEWEST_FIRST += sorted(TIED, reverse=True)


def _call(run: str, number: int, **more: Any) -> e.ApiCallRecorded:
    """Return the numbered call of a run; all calls of a run have the same time, so only the log tells their order."""
    names = (run, number, more.get("chunk_index", 0))
    recorded = replace(
        story.api_call(run),
        event_id=story.an_id("call-event", *names),
        call_id=story.an_id("call", run, number),
        request=json.dumps({"query": {"page": str(number)}, "headers": {}}),
    )
    return replace(recorded, **more)


def _completed(run: str, *records: str, after: timedelta = timedelta(0)) -> e.IngestionRunCompleted:
    ended = story.run_completed(run, records, at=story.BEGIN + after)
    return replace(ended, flags={}, findings=())


def _insider(event: Any) -> Any:
    return replace(event, task_name=INSIDER, data_source="quiverquant_insider")


def _maintenance(event: Any) -> Any:
    return replace(event, task_name="maintenance:daily", data_source="maintenance")


def run_events() -> Iterator[Event]:
    """Yield the runs' events in the order of the log."""
    for run in TIED:
        yield story.run_started(run)
        yield replace(_completed(run, f"{run}-record"), flags={"late": 1})
    yield story.run_started("r-completed", at=story.BEGIN + DAY)
    for number, chunk in ((1, 0), (0, 0), (0, 1), (2, 0)):
        yield _call("r-completed", number, chunk_index=chunk, chunk_count=2 if number == 0 else 1)
    yield replace(
        _completed("r-completed", "a", "b", after=DAY),
        data_date_start=date(2020, 2, 25),
        records_fetched=9,
        records_updated=1,
        records_skipped=6,
        records_flagged=4,
        flags={"late_filing": 4, "open_range": 1},
    )
    yield _maintenance(story.run_started("r-maintained", at=story.BEGIN + 2 * DAY))
    found = e.RunFinding(
        code="silent_source", subject="Senate", message="look", details='{"days": 9}'
    )
    yield replace(_maintenance(_completed("r-maintained", after=2 * DAY)), findings=(found,))
    yield _completed("headless", after=3 * DAY)
    yield _insider(story.run_started("r-failed", at=story.BEGIN + 4 * DAY))
    limited = {"status_code": 429, "records_returned": None, "rate_limit_remaining": 0}
    yield _call("r-failed", 0, **limited)
    silent = {"status_code": None, "records_returned": None, "error": "timed out", "body": None}
    yield _call("r-failed", 1, **silent, body_sha256=None, response_size_bytes=0)
    yield _insider(story.run_failed("r-failed", at=story.BEGIN + 4 * DAY))
    yield _insider(story.run_started("r-abandoned", at=story.BEGIN + 5 * DAY))
    cut_off = story.run_failed("r-abandoned", at=story.BEGIN + 6 * DAY)
    yield _insider(replace(cut_off, error_code="abandoned", error_details='{"instance": "i"}'))
    yield _insider(story.run_started("r-running", at=story.BEGIN + 6 * DAY))
    yield _call("r-running", 0)
