"""The report from every door: the query, the HTTP API, the page and the command line say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, Running, audited_log
from tests.typed_command import Ran
from tradetrail.reports.connection import open_reader
from tradetrail.reports.counts import event_counts, run_counts, symbols
from tradetrail.reports.encode import to_json
from tradetrail.reports.symbol import By, symbol_report

pytestmark = pytest.mark.stack

START, END = date(2020, 3, 1), date(2020, 3, 31)
KEYS = [
    "symbol",
    "period",
    "data_ingested",
    "decisions_made",
    "declined",
    "trades_executed",
    "summary",
    "totals",
    "next",
]


@pytest.fixture(scope="module")
def audited(stack: Any) -> Iterator[tuple[Audit, Running]]:
    """Return an audit that holds the story, and its auditor; shared by this module, which only reads."""
    with audited_log(stack, story.placed_story()) as audited:
        yield audited


@pytest.fixture
def report(audited: tuple[Audit, Running]) -> dict[str, Any]:
    """Return the report of March 2020."""
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        return symbol_report(connection, "AAPL", START, END)


def get(audited: tuple[Audit, Running], path: str, accept: str = "*/*") -> requests.Response:
    return audited[1].get(path, accept)


def test_the_report_has_its_keys_and_sums(report: dict[str, Any]) -> None:
    assert list(report) == KEYS
    disclosed = report["data_ingested"]
    assert {(r["politician"], r["insider"]) for r in disclosed} == {
        ("Nancy Pelosi", None),
        (None, "COOK TIMOTHY D"),
    }
    assert all(r["ingestion_run_id"] == "run-1" and r["ingested_at"] for r in disclosed)
    by_id = {d["decision_id"]: d for d in report["decisions_made"]}
    outcomes = {
        name: (
            by_id[story.an_id("d", name)]["status"],
            by_id[story.an_id("d", name)]["failure_reason"],
        )
        for name in ("d1", "d2", "d3", "d4")
    }
    assert outcomes == {
        "d1": ("executed", None),
        "d2": ("failed", "blocked:buying_power"),
        "d3": ("failed", "insufficient_buying_power"),
        "d4": ("executed", None),
    }
    assert by_id[story.an_id("d", "d1")]["rationale"]["market_context"]["current_price"] == Decimal(
        "72.33"
    )
    assert [r["reason"] for r in report["declined"]] == ["below_threshold"]
    trades = [(t["side"], t["quantity"], t["filled_avg_price"]) for t in report["trades_executed"]]
    assert trades == [("buy", 10, Decimal("72.1")), ("sell", 10, Decimal("72.1"))]
    assert report["summary"] == {
        "decisions": {"total_signals": 4, "executed": 2, "failed": 2, "success_rate": 50.0},
        "executions": {"total_trades": 2, "shares_bought": 10, "shares_sold": 10},
    }


def test_a_changed_record_counts_once_by_its_newest_version(audited: tuple[Audit, Running]) -> None:
    audit, _ = audited

    def days(start: date, end: date, by: By = By.REPORTED) -> list[date]:
        with open_reader(audit.dsn, audit.schema) as connection:
            return [
                r["disclosed_on"]
                for r in symbol_report(connection, "aapl", start, end, by)["data_ingested"]
            ]

    february = (date(2020, 2, 1), date(2020, 2, 29))
    assert days(*february) == [date(2020, 2, 21)]
    assert days(date(2020, 2, 20), date(2020, 2, 20)) == []
    traded = days(*february, By.TRANSACTION_DATE)
    assert traded == [date(2020, 2, 21), date(2020, 3, 1), date(2020, 3, 1)]


def test_a_record_that_moved_is_withdrawn_from_the_one_symbol_and_current_at_the_other(
    audited: tuple[Audit, Running],
) -> None:
    audit, _ = audited
    found = {}
    with open_reader(audit.dsn, audit.schema) as connection:
        for symbol in ("IBM", "F"):
            for by in By:
                told = symbol_report(connection, symbol, date(2020, 2, 1), END, by)
                found[symbol, by] = [
                    (row["record_id"], row["moved_to_symbol"], row["withdrawn_at"] is not None)
                    for row in told["data_ingested"]
                ]
    moved, stayed = story.an_id("record", "r5"), story.an_id("record", "r3")
    for by in By:
        assert sorted(found["IBM", by]) == sorted([(moved, "F", True), (stayed, None, False)])
        assert found["F", by] == [(moved, None, False)]


def test_the_period_is_whole_days_in_new_york(audited: tuple[Audit, Running]) -> None:
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        one_day = symbol_report(connection, "AAPL", date(2020, 3, 2), date(2020, 3, 2))
        empty = symbol_report(connection, "AAPL", date(2019, 1, 1), date(2019, 12, 31))
    assert [d["decision_id"] for d in one_day["decisions_made"]] == [story.an_id("d", "d1")]
    assert len(one_day["trades_executed"]) == 1
    assert empty["summary"]["decisions"]["success_rate"] is None


@pytest.mark.parametrize("by", By)
def test_pages_go_through_every_list_once(audited: tuple[Audit, Running], by: By) -> None:
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        whole = symbol_report(connection, "AAPL", date(2020, 1, 1), END, by)
        pages: list[dict[str, Any]] = []
        after: str | None = None
        while not pages or after:
            told = symbol_report(
                connection, "AAPL", date(2020, 1, 1), END, by, limit=1, after=after
            )
            pages.append(told)
            after = told["next"]
    assert len(pages) == max(whole["totals"].values()) > 1
    for section, total in whole["totals"].items():
        assert [row for page in pages for row in page[section]] == whole[section]
        assert len(whole[section]) == total
    assert all(
        (page["summary"], page["totals"]) == (whole["summary"], whole["totals"]) for page in pages
    )


def test_a_link_leads_to_the_next_page(audited: tuple[Audit, Running]) -> None:
    path = "/reports/symbol/AAPL?from=2020-01-01&to=2020-03-31&limit=1"
    first = get(audited, path)
    following = first.links["next"]["url"]
    second = get(audited, following)
    sections = ("data_ingested", "decisions_made")
    assert all(first.json()[name] != second.json()[name] for name in sections)
    assert get(audited, f"{path}&after=nowhere").status_code == 400
    told, page = second.json(), get(audited, following, "text/html").text
    complete = [name for name, total in told["totals"].items() if total and not told[name]]
    assert page.count("None on this page") == len(complete) > 0
    # The decision of a trade may stand on another page: no link leads to a place that is not here.
    assert [
        name for name in re.findall('href="#([^"]+)"', page) if f'id="{name}"' not in page
    ] == []


def test_http_json_is_the_query_and_csv_its_rows(
    audited: tuple[Audit, Running], report: dict[str, Any]
) -> None:
    path = "/reports/symbol/aapl?from=2020-03-01&to=2020-03-31"
    assert get(audited, path).text == to_json(report)
    sections = ("data_ingested", "decisions_made", "declined", "trades_executed")
    lines = get(audited, path, "text/csv").text.splitlines()
    assert len(lines) == 1 + sum(len(report[section]) for section in sections)


def test_the_command_line_prints_the_same(
    audited: tuple[Audit, Running], report: dict[str, Any]
) -> None:
    audit, _ = audited

    def run(*words: str) -> Ran:
        return audit.report("symbol", *words)

    period = ("--from", "2020-03-01", "--to", "2020-03-31")
    assert json.loads(run("AAPL", *period, "--format", "json").stdout) == json.loads(
        to_json(report)
    )
    assert "success rate 50.0" in run("AAPL", *period).stdout
    assert run("NOSUCH").returncode == 2
    assert run("AAPL", "--from", "yesterday").returncode == 2
    assert run("AAPL", "--from", "2020-03-31", "--to", "2020-03-01").returncode == 2


def test_pages_are_complete_without_scripts(audited: tuple[Audit, Running]) -> None:
    page = get(audited, "/reports/symbol/AAPL", "text/html,application/xhtml+xml,*/*;q=0.8")
    assert page.status_code == 200
    assert "script" not in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for text in (
        "72.1",
        "blocked:buying_power",
        "COOK TIMOTHY D",
        "09:00:03",
        "14:00:03 UTC",
        "lag 0",
    ):
        assert text in page.text
    overview = get(audited, "/", "text/html").text
    assert '<a href="/reports/symbol/AAPL">AAPL</a>' in overview
    assert get(audited, "/static/style.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reports/symbol/AAPL?from=2020-02-30", 422),
        ("/reports/symbol/AAPL?from=2020-03-02&to=2020-03-01", 400),
        ("/reports/symbol/AAPL?to=9999-12-31", 400),
        ("/reports/symbol/AAPL?by=size", 422),
        ("/reports/symbol/NOSUCH", 404),
        ("/reports/symbol/A'%20OR%201=1", 400),
        ("/reports/symbol/" + "A" * 100, 422),
        ("/nowhere", 404),
    ],
)
def test_bad_questions_get_problems(audited: tuple[Audit, Running], path: str, status: int) -> None:
    answer = get(audited, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
    assert get(audited, path, "text/html").headers["Content-Type"].startswith("text/html")


def test_health_and_metrics(audited: tuple[Audit, Running]) -> None:
    health = get(audited, "/health").json()
    assert health["status"] == "ready"
    assert health["lag_records"] == 0
    metrics = get(audited, "/metrics").text
    assert 'tradetrail_auditor_events_total{outcome="audited"}' in metrics
    assert "tradetrail_auditor_lag_records 0.0" in metrics


def test_counts(audited: tuple[Audit, Running]) -> None:
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        assert run_counts(connection) == {
            "runs": {"completed": 1, "failed": 1},
            "disclosures": {"created": 6, "updated": 2},
            "decisions": {"executed": 2, "failed": 2},
            "declined": {"below_threshold": 1},
            "orders": {"filled": 2, "rejected": 1},
            "fills": {"buy": 2, "sell": 2},
            "dead_letters": {},
        }
        assert event_counts(connection)["OrderUpdated"] == 7
        listed = {
            row["symbol"]: (row["disclosures"], row["decisions"]) for row in symbols(connection)
        }
    assert listed == {"AAPL": (3, 4), "IBM": (2, 0), "F": (1, 0)}
