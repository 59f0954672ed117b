"""What became of decisions, from every door: HTTP, page, command line and flat forms say what the query says."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from orjson import Fragment

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, Running, audited_log
from tests.trades_story import told
from tradetrail.reports import queries
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.connection import open_reader
from tradetrail.reports.encode import json_bytes, to_json
from tradetrail.reports.executed import EXECUTED
from tradetrail.reports.failed import FAILED, FailedFilter
from tradetrail.reports.listing import Listing as ListingOf
from tradetrail.reports.performance import PerformanceFilter, performance_report

pytestmark = pytest.mark.stack

Audited = tuple[Audit, Running]


@dataclass(frozen=True)
class Listing:
    """A report that has pages, and what the story brings into it."""

    name: str
    report: Callable[..., dict[str, Any]]
    rows: int
    nested: tuple[str, ...]
    shown: tuple[str, ...]
    """What people see of it, on the page and at the command line."""


def _asked_of(
    listing: ListingOf[Any], chosen: Any, connection: Any, *page: Any, **form: Any
) -> dict[str, Any]:
    return listing.report(connection, chosen, *page, **form)


LISTINGS = [
    Listing(
        name="executed",
        report=partial(_asked_of, EXECUTED, TradeFilter()),
        rows=11,
        nested=("execution_ids", "rationale"),
        shown=("executing", "GE", "12.5"),
    ),
    Listing(
        name="failed",
        report=partial(_asked_of, FAILED, FailedFilter()),
        rows=3,
        nested=("rationale",),
        shown=("expired", "the day was over", "GE"),
    ),
]
each_listing = pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)


@pytest.fixture(scope="module")
def audited(stack: Any) -> Iterator[Audited]:
    """Return an audit that holds the story, and its auditor; its tests only read."""
    with audited_log(stack, told()) as audited:
        yield audited


def asked(audited: Audited, listing: Listing, *page: Any, **form: Any) -> dict[str, Any]:
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        return listing.report(connection, *page, **form)


@each_listing
def test_a_page_read_part_by_part_is_the_page(
    audited: Audited, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = asked(audited, listing, listing.rows - 1)
    monkeypatch.setattr(queries, "_ROWS_AT_ONCE", 2)
    part_by_part = asked(audited, listing, listing.rows - 1)
    assert to_json(part_by_part) == to_json(at_once)
    assert part_by_part == at_once
    for limit in (listing.rows - 1, listing.rows, listing.rows + 1):
        written = asked(audited, listing, limit, as_json=True)
        assert isinstance(written[listing.name][0], Fragment)
        assert json_bytes(written) == json_bytes(asked(audited, listing, limit))
        # So many are counted when the read is recorded.
        sheet = EXECUTED.sheet if listing.name == "executed" else FAILED.sheet
        assert sum(1 for _ in sheet(written).rows) == min(limit, listing.rows)


@each_listing
def test_http_and_the_command_line_say_what_the_query_says(
    audited: Audited, listing: Listing
) -> None:
    audit, auditor = audited
    limit = listing.rows - 1
    answer = auditor.get(f"/reports/{listing.name}?limit={limit}")
    assert answer.text == to_json(asked(audited, listing, limit))
    assert answer.json()["totals"][listing.name] == listing.rows
    following = auditor.get(answer.links["next"]["url"]).json()
    assert (len(following[listing.name]), following["next"]) == (1, None)
    ran = audit.report(listing.name, "--limit", str(limit), "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == answer.json()


@each_listing
def test_the_page_shows_what_became_of_them_and_leads_on(
    audited: Audited, listing: Listing
) -> None:
    _, auditor = audited
    limit = listing.rows - 1
    path = f"/reports/{listing.name}?symbol=&from=&to=&side=&limit={limit}"
    page = auditor.get(path, "text/html")
    assert page.status_code == 200
    assert "script" not in page.text
    assert f"{limit} of {listing.rows}" in page.text
    for word in listing.shown:
        assert word in page.text
    onward = re.search(r'href="([^"]+)" rel="next"', page.text)
    assert onward is not None
    assert f"1 of {listing.rows}" in auditor.get(html.unescape(onward[1]), "text/html").text
    assert f'href="/reports/{listing.name}"' in auditor.get("/", "text/html").text
    none = auditor.get(f"/reports/{listing.name}?to=2020-01-01", "text/html")
    assert "matches" in none.text


@each_listing
def test_people_see_the_rows_and_how_to_read_on(audited: Audited, listing: Listing) -> None:
    audit, _ = audited
    limit = listing.rows - 1
    ran = audit.report(listing.name, "--limit", str(limit))
    for word in listing.shown:
        assert word in ran.stdout
    assert f"{limit} of {listing.rows} {listing.name}" in ran.stderr
    cursor = ran.stderr.split("--after")[1].strip()
    rest = audit.report(listing.name, "--after", cursor, "--format", "csv")
    assert len(rest.stdout.splitlines()) == 2


@each_listing
def test_the_flat_forms_hold_every_row(audited: Audited, listing: Listing, tmp_path: Path) -> None:
    audit, auditor = audited
    target = tmp_path / "rows.parquet"
    ran = audit.report(listing.name, "--format", "parquet", "-o", str(target))
    assert ran.returncode == 0, ran.stderr
    table = pyarrow.parquet.read_table(target).to_pylist()
    answer = auditor.get(f"/reports/{listing.name}", "text/csv")
    sheet = list(csv.DictReader(io.StringIO(answer.text)))
    whole = json.loads(to_json(asked(audited, listing)[listing.name]))
    for rows in (table, sheet):
        assert [row["decision_id"] for row in rows] == [row["decision_id"] for row in whole]
        for name in listing.nested:
            assert [json.loads(row[name]) for row in rows] == [row[name] for row in whole]


@each_listing
@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("side=sideways", 422),
        ("limit=0", 422),
        ("from=2020-02-30", 422),
        ("symbl=MSFT", 422),
        ("from=2020-03-02&to=2020-03-01", 400),
        ("symbol=A%20B", 400),
        ("symbol=%27%3B--", 400),
        ("strategy=Nonsense", 400),
        ("after=nowhere", 400),
        ("symbol=ZZZZ", 404),
    ],
)
def test_bad_questions_get_problems(
    audited: Audited, listing: Listing, words: str, status: int
) -> None:
    answer = audited[1].get(f"/reports/{listing.name}?{words}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


@each_listing
@pytest.mark.parametrize("words", [("--symbol", "ZZZZ"), ("--side", "sideways")])
def test_bad_words_are_exit_code_2(
    audited: Audited, listing: Listing, words: tuple[str, str]
) -> None:
    ran = audited[0].report(listing.name, *words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words[1] in ran.stderr


def test_a_filter_of_the_command_is_the_urls(audited: Audited) -> None:
    audit, auditor = audited
    words = ("--symbol", "aapl", "--side", "sell", "--from", "2020-03-04", "--to", "2020-03-04")
    ran = audit.report("executed", *words, "--format", "json")
    url = "/reports/executed?symbol=aapl&side=sell&from=2020-03-04&to=2020-03-04"
    answer = auditor.get(url).json()
    assert json.loads(ran.stdout) == answer
    assert [row["decision_id"] for row in answer["executed"]] == [story.an_id("d", "d4")]
    assert answer["filters"]["symbol"] == "AAPL"
    ran = audit.report("failed", "--reason", "blocked", "--format", "json")
    answer = auditor.get("/reports/failed?reason=blocked").json()
    assert json.loads(ran.stdout) == answer
    assert [row["control"] for row in answer["failed"]] == ["buying_power"]
    assert auditor.get("/reports/failed?reason=bad_mood").status_code == 422


def test_performance_says_the_same_from_every_door(audited: Audited, tmp_path: Path) -> None:
    audit, auditor = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        whole = performance_report(connection, PerformanceFilter())
    answer = auditor.get("/reports/performance")
    assert answer.text == to_json(whole)
    ran = audit.report("performance", "--format", "json")
    assert json.loads(ran.stdout) == answer.json()
    assert "manual" in audit.report("performance", "--strategy", "manual").stdout

    target = tmp_path / "rows.parquet"
    audit.report("performance", "--format", "parquet", "-o", str(target))
    table = pyarrow.parquet.read_table(target).to_pylist()
    text = auditor.get("/reports/performance", "text/csv").text
    for rows in (table, list(csv.DictReader(io.StringIO(text)))):
        told = [(row["section"], row["strategy_name"]) for row in rows]
        assert told == [
            (section, row["strategy_name"])
            for section in ("performance", "fills")
            for row in whole[section]
        ]
        assert json.loads(rows[3]["positions"]) == answer.json()["fills"][0]["positions"]

    page = auditor.get("/reports/performance?from=&to=&strategy=", "text/html").text
    assert "script" not in page
    for word in ("53.85", "manual", "market context"):
        assert word in page
    assert 'href="/reports/performance"' in page
    assert (
        "No signal matches" in auditor.get("/reports/performance?to=2020-01-01", "text/html").text
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [("strategy=Nonsense", 400), ("limit=5", 422), ("from=2020-03-02&to=2020-03-01", 400)],
)
def test_bad_questions_about_performance_get_problems(
    audited: Audited, words: str, status: int
) -> None:
    answer = audited[1].get(f"/reports/performance?{words}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
