"""The run report over what the auditor wrote: every run's story, whole, from the query, HTTP and the command line."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pyarrow.parquet
import pytest

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, Running, audited_log, told_by_pages
from tests.run_story import DAY, INSIDER, NEWEST_FIRST, TIED, run_events
from tradetrail.reports.connection import open_reader, prepare_reader
from tradetrail.reports.encode import to_json
from tradetrail.reports.queries import statement
from tradetrail.reports.runs import COLUMNS, RunFilter, RunStatus, run_report

pytestmark = pytest.mark.stack

Audited = tuple[Audit, Running]
CONGRESS = "data_fetch:congress_daily"


@pytest.fixture(scope="module")
def audited(stack: Any) -> Iterator[Audited]:
    """Return an audit that holds the runs, and its auditor; shared by this module, which only reads."""
    placed = [("runs", "one key, one order", event) for event in run_events()]
    # A seat names a run of which nothing else is known: no story, so no row.
    placed.append(("reference", "P000197", story.seat()))
    with audited_log(stack, placed) as made:
        yield made


def report(
    audited: Audited, limit: int = 100, after: str | None = None, **chosen: Any
) -> dict[str, Any]:
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        return run_report(connection, RunFilter(**chosen), limit, after)


def ids(answer: dict[str, Any]) -> list[str]:
    return [run["run_id"] for run in answer["runs"]]


def test_every_run_is_told_newest_first(audited: Audited) -> None:
    answer = report(audited)
    assert ids(answer) == NEWEST_FIRST
    assert list(answer) == ["period", "filters", "totals", "next", "runs"]
    assert all(tuple(run) == COLUMNS for run in answer["runs"])
    assert answer["next"] is None


def test_a_completed_run_tells_its_counts_and_its_calls_in_their_order(audited: Audited) -> None:
    (run,) = report(audited, run="r-completed")["runs"]
    assert (run["status"], run["task_name"], run["trigger"]) == ("completed", CONGRESS, "command")
    assert run["started_at"] == run["completed_at"] == story.BEGIN + DAY
    assert run["failed_at"] is None
    # The end tells the first day it delivered; of the last one only the beginning spoke.
    assert (run["data_date_start"], run["data_date_end"]) == (date(2020, 2, 25), date(2020, 3, 2))
    counts = ("fetched", "created", "updated", "skipped", "flagged")
    assert [run[f"records_{name}"] for name in counts] == [9, 2, 1, 6, 4]
    assert run["flags"] == {"late_filing": 4, "open_range": 1}
    assert [c["query"]["page"] for c in run["api_calls"]] == ["1", "0", "2"]
    first = run["api_calls"][0]
    assert next(iter(first)) == "api_call_id"
    assert first["timestamp"] == story.BEGIN
    assert (first["status_code"], first["response_size"], first["records_returned"]) == (200, 20, 2)
    assert first["endpoint"] == "/beta/live/congresstrading"
    assert to_json(first["duration_ms"]) == "1.5"


def test_a_failed_run_tells_why_and_what_the_vendor_answered(audited: Audited) -> None:
    (run,) = report(audited, run="r-failed")["runs"]
    assert (run["status"], run["error_code"]) == ("failed", "vendor_unavailable")
    assert run["error_details"] == {"status": 503}
    assert run["failed_at"] == story.BEGIN + 4 * DAY
    assert (run["records_fetched"], run["records_created"], run["flags"]) == (0, None, {})
    assert [
        (c["status_code"], c["rate_limit_remaining"], c["error"]) for c in run["api_calls"]
    ] == [
        (429, 0, None),
        (None, None, "timed out"),
    ]


@pytest.mark.parametrize(
    ("run_id", "status", "code", "calls"),
    [
        ("r-running", "running", None, 1),
        ("r-abandoned", "failed", "abandoned", 0),
        ("headless", "completed", None, 0),
    ],
)
def test_an_unfinished_story_is_told_as_far_as_it_goes(
    audited: Audited, run_id: str, status: str, code: str | None, calls: int
) -> None:
    (run,) = report(audited, run=run_id)["runs"]
    assert (run["status"], run["error_code"], len(run["api_calls"])) == (status, code, calls)
    assert run["findings"] == []
    assert run["flags"] == {}


def test_maintenance_tells_what_it_noticed(audited: Audited) -> None:
    (run,) = report(audited, task="maintenance:daily")["runs"]
    (finding,) = run["findings"]
    assert finding == {
        "code": "silent_source",
        "subject": "Senate",
        "message": "look",
        "details": {"days": 9},
    }


def test_the_pages_together_are_the_whole_and_each_has_the_same_totals(audited: Audited) -> None:
    whole = report(audited)
    for limit in (1, 3, len(NEWEST_FIRST)):
        told = told_by_pages(lambda *page: report(audited, *page), "runs", limit)
        assert told == whole["runs"]
        assert report(audited, limit)["totals"] == whole["totals"]


def test_totals_are_the_sums_over_every_run(audited: Audited) -> None:
    answer = report(audited, limit=1)
    runs = report(audited)["runs"]
    expected: dict[str, Any] = {"runs": len(runs)}
    for status in RunStatus:
        expected[status] = sum(run["status"] == status for run in runs)
    for name in ("fetched", "created", "updated", "skipped", "flagged"):
        expected[f"records_{name}"] = sum(run[f"records_{name}"] or 0 for run in runs)
    expected["flags"] = {"late": len(TIED), "late_filing": 4, "open_range": 1}
    assert answer["totals"] == expected
    assert expected["records_created"] > 0


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"status": RunStatus.FAILED}, ["r-abandoned", "r-failed"]),
        ({"status": RunStatus.RUNNING}, ["r-running"]),
        ({"task": INSIDER}, ["r-running", "r-abandoned", "r-failed"]),
        ({"data_source": "maintenance"}, ["r-maintained"]),
        ({"data_source": "congress_legislators_committees"}, []),
        ({"task": CONGRESS, "status": RunStatus.FAILED}, []),
        ({"start": date(2020, 3, 6), "end": date(2020, 3, 7)}, ["r-abandoned", "r-failed"]),
        ({"start": date(2020, 3, 8)}, ["r-running"]),
        ({"end": date(2020, 3, 1)}, []),
        ({"start": date(2020, 3, 5), "end": date(2020, 3, 5)}, ["headless"]),
        ({"run": "r-failed", "status": RunStatus.RUNNING}, []),
    ],
    ids=lambda value: "-".join(str(v) for v in (value.values() if isinstance(value, dict) else [])),
)
def test_filters(audited: Audited, chosen: dict[str, Any], expected: list[str]) -> None:
    answer = report(audited, **chosen)
    assert ids(answer) == expected
    assert answer["totals"]["runs"] == len(expected)


def test_http_and_the_command_line_say_what_the_query_says(audited: Audited) -> None:
    audit, auditor = audited
    asked = report(audited, limit=2, task=CONGRESS, start=date(2020, 3, 1))
    path = f"/reports/runs?task={CONGRESS}&from=2020-03-01&limit=2"
    answer = auditor.get(path)
    assert answer.text == to_json(asked)
    following = auditor.get(answer.links["next"]["url"])
    assert ids(following.json()) == ids(report(audited, task=CONGRESS))[2:4]
    words = ("--task", CONGRESS, "--from", "2020-03-01", "--limit", "2")
    ran = audit.report("runs", *words, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == answer.json()


def test_the_page_shows_what_failed_and_leads_on(audited: Audited) -> None:
    _, auditor = audited
    page = auditor.get("/reports/runs?from=&to=&task=&status=failed&limit=1", "text/html")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "script" not in page.text
    assert "1 of 2" in page.text
    assert "abandoned" in page.text
    assert '<option value="failed" selected>' in page.text
    onward = re.search(r'href="([^"]+)" rel="next"', page.text)
    assert onward is not None
    following = auditor.get(html.unescape(onward[1]), "text/html").text
    assert "429" in following
    assert "timed out" in following
    assert 'href="/reports/runs"' in auditor.get("/", "text/html").text
    none = auditor.get("/reports/runs?data_source=congress_legislators_committees", "text/html")
    assert "No run matches" in none.text


def test_the_flat_forms_hold_every_run_with_its_calls_as_json(
    audited: Audited, tmp_path: Any
) -> None:
    audit, auditor = audited
    target = tmp_path / "runs.parquet"
    ran = audit.report("runs", "--format", "parquet", "-o", str(target))
    assert ran.returncode == 0, ran.stderr
    table = pyarrow.parquet.read_table(target).to_pylist()
    sheet = list(csv.DictReader(io.StringIO(auditor.get("/reports/runs", "text/csv").text)))
    whole = json.loads(to_json(report(audited)["runs"]))
    for rows in (table, sheet):
        assert [row["run_id"] for row in rows] == NEWEST_FIRST
        for name in ("api_calls", "flags", "findings"):
            assert [json.loads(row[name]) for row in rows] == [run[name] for run in whole]


def test_people_see_why_a_run_failed_and_how_to_read_on(audited: Audited, tmp_path: Any) -> None:
    audit, _ = audited
    ran = audit.report("runs", "--status", "failed", "--limit", "1")
    assert "abandoned: the vendor answered 503" in ran.stdout
    assert "1 of 2 runs" in ran.stderr
    cursor = ran.stderr.split("--after")[1].strip()
    after = audit.report("runs", "--status", "failed", "--limit", "1", "--after", cursor)
    assert "vendor_unavailable" in after.stdout
    assert after.stderr == ""
    target = tmp_path / "runs.txt"
    assert audit.report("runs", "--status", "failed", "-o", str(target)).returncode == 0
    assert "vendor_unavailable" in target.read_text()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("status=lost", 422),
        ("limit=0", 422),
        ("limit=1000000", 422),
        ("from=2020-02-30", 422),
        ("stauts=failed", 422),
        ("from=2020-03-02&to=2020-03-01", 400),
        ("task=data_fetch:nonsense", 400),
        ("data_source=x%00y", 400),
        ("data_source='%20OR%201=1", 400),
        ("after=nowhere", 400),
        ("run=nobody", 404),
    ],
)
def test_bad_questions_get_problems(audited: Audited, words: str, status: int) -> None:
    answer = audited[1].get(f"/reports/runs?{words}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "words",
    [("--status", "lost"), ("--task", "nonsense"), ("--after", "x"), ("--run", "nobody")],
    ids=lambda words: words[0],
)
def test_words_that_make_no_sense_end_with_exit_code_2(
    audited: Audited, words: tuple[str, ...]
) -> None:
    ran = audited[0].report("runs", *words)
    assert ran.returncode == 2
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("after", ["0001-01-01T00:00:00+23:00~r", "9999-12-31T23:59:59-23:00~r"])
def test_a_cursor_at_the_calendars_ends_is_a_place_like_any_other(
    audited: Audited, after: str
) -> None:
    assert ids(report(audited, after=after)) == ([] if after[0] == "0" else NEWEST_FIRST)


def test_a_page_scans_neither_all_calls_nor_all_runs(audited: Audited) -> None:
    audit, _ = audited
    nothing = dict.fromkeys(("task_name", "data_source", "status", "run_id", "since", "until"))
    page = nothing | {"after_at": story.BEGIN, "after_id": "x", "rows_max": 3}
    with psycopg.connect(audit.dsn, autocommit=True) as connection:
        prepare_reader(connection, audit.schema, "")
        # The tables are small here; what matters is that an index serves.
        connection.execute("SET enable_seqscan = off")
        for query, arguments, index in (
            ("run_calls", {"run_ids": ["a", "b"]}, "api_payloads_run"),
            ("runs", page, "data_ingestion_runs_began"),
        ):
            lines = connection.execute("EXPLAIN " + statement(query), arguments).fetchall()
            plan = "\n".join(line for (line,) in lines)
            assert index in plan
            assert "Seq Scan" not in plan
