"""The run report's own rules; what the database answers is tested on a real one."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.runs import print_run_report
from tradetrail.errors import UsageError
from tradetrail.reports.paging import LIMIT_MAX
from tradetrail.reports.period import since_until
from tradetrail.reports.runs import RunFilter, run_report

AT = datetime(2020, 3, 2, 12, 0, tzinfo=UTC)
RUN_ID = "3f0b7a52-6a3c-5e0e-9d0f-1f2e3d4c5b6a"
ERROR = "QuiverQuant answered 503 to /beta/live/congresstrading; run the task again when it is well"


@pytest.mark.parametrize(
    ("chosen", "limit", "after"),
    [
        (RunFilter(start=date(2020, 3, 2), end=date(2020, 3, 1)), 1, None),
        (RunFilter(start=date(9999, 1, 1)), 1, None),
        (RunFilter(end=date.max), 1, None),
        (RunFilter(task=""), 1, None),
        (RunFilter(task="a\x00"), 1, None),
        (RunFilter(data_source="x" * 300), 1, None),
        (RunFilter(run="\udcff"), 1, None),
        (RunFilter(), 0, None),
        (RunFilter(), LIMIT_MAX + 1, None),
        (RunFilter(), 1, ""),
        (RunFilter(), 1, "yesterday~run"),
        (RunFilter(), 1, "2020-03-02T12:00:00~run"),
        (RunFilter(), 1, "2020-03-02T12:00:00Z"),
        (RunFilter(), 1, "2020-03-02T12:00:00Z~\x00"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_database_is_asked(
    chosen: RunFilter, limit: int, after: str | None
) -> None:
    with pytest.raises(UsageError):
        run_report(NoDatabase(), chosen, limit, after)


def test_a_period_is_whole_days_in_new_york() -> None:
    assert since_until(date(2020, 3, 8), date(2020, 3, 8)) == (
        datetime(2020, 3, 8, 5, tzinfo=UTC),
        datetime(2020, 3, 9, 4, tzinfo=UTC),
    )
    assert since_until(None, None) == (None, None)
    assert since_until(date.min, None)[0] is not None


def story(status: str, **more: Any) -> dict[str, Any]:
    counts = ("fetched", "created", "updated", "skipped", "flagged")
    return {
        "run_id": RUN_ID,
        "task_name": "data_fetch:congress_daily",
        "data_source": "quiverquant_congress",
        "started_at": AT,
        "completed_at": None,
        "failed_at": None,
        "status": status,
        "data_date_start": date(2020, 2, 24),
        "data_date_end": date(2020, 3, 2),
        **{f"records_{name}": None for name in counts},
        "flags": {},
        "findings": [],
        "api_calls": [{}],
        "error_code": None,
        "error_message": None,
        **more,
    }


def printed(runs: list[dict[str, Any]], width: int) -> str:
    totals = {"runs": len(runs), "records_fetched": 12, "flags": {"late_filing": 3}}
    report = {
        "period": {"from": None, "to": None},
        "filters": {},
        "totals": totals,
        "next": None,
        "runs": runs,
    }
    text = io.StringIO()
    print_run_report(report, Console(width=width, file=text))
    return text.getvalue()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_people_see_what_failed_and_why(width: int) -> None:
    failed = story(
        "failed", failed_at=AT, error_code="vendor_error", error_message=ERROR, records_fetched=0
    )
    text = printed([story("running"), failed], width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "data_fetch:congress_daily" in text
    assert "2020-03-02 07:00" in text
    assert "running" in text
    assert "vendor_error" in text
    assert "late filing 3" in text
    for word in ERROR.split():
        assert word in text


def test_what_an_error_says_is_no_markup() -> None:
    failed = story("failed", failed_at=AT, error_code="internal", error_message="a [bold]b[/] [/x]")
    assert "[bold]b[/] [/x]" in printed([failed], 160)


def test_findings_of_maintenance_are_listed() -> None:
    finding = {"code": "silent_source", "subject": "Senate", "message": "nothing since Monday"}
    text = printed([story("completed", completed_at=AT, findings=[finding])], 160)
    assert "silent_source" in text
    assert "nothing since Monday" in text
