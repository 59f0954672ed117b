"""One trade's trail and what needs a person's eye, from every door: all say what the query says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet
import pytest

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, Running, audited_log
from tests.oversight_story import told
from tradetrail.reports.connection import open_reader
from tradetrail.reports.decision import decision_report, decision_sheet
from tradetrail.reports.encode import to_json
from tradetrail.reports.export import Sheet
from tradetrail.reports.operator_acts import ActFilter, operator_acts_report, operator_acts_sheet
from tradetrail.reports.portfolio import portfolio_report, portfolio_sheet
from tradetrail.reports.unresolved import (
    UnresolvedFilter,
    unresolved_report,
    unresolved_sheet,
)

pytestmark = pytest.mark.stack

Audited = tuple[Audit, Running]
Asked = Callable[[psycopg.Connection[Any]], dict[str, Any]]


@dataclass(frozen=True)
class Door:
    """A report as each door is asked for it, and what people see of it."""

    name: str
    words: tuple[str, ...]
    path: str
    report: Asked
    sheet: Callable[[dict[str, Any]], Sheet]
    shown: tuple[str, ...]


TWICE = story.an_id("d", "twice")
DOORS = [
    Door(
        name="decision",
        words=("decision", TWICE),
        path=f"decision/{TWICE}",
        report=lambda connection: decision_report(connection, TWICE),
        sheet=decision_sheet,
        shown=("IBM", "1.5", "insufficient buying power", "Nancy Pelosi", "118.5"),
    ),
    Door(
        name="unresolved",
        words=("unresolved",),
        path="unresolved",
        report=lambda connection: unresolved_report(connection, UnresolvedFilter()),
        sheet=unresolved_sheet,
        shown=(
            *("MSFT", "GE", "not_found", "filled at the broker", "/v2/orders:by_client_order_id"),
            f"tradetrail order resolve {story.an_id('x', 'lost', 1)} OUTCOME --symbol MSFT",
        ),
    ),
    Door(
        name="operator-acts",
        words=("operator-acts",),
        path="operator-acts",
        report=lambda connection: operator_acts_report(connection, ActFilter()),
        sheet=operator_acts_sheet,
        shown=("ann", "bob", "why cancel", "m-1 has gone on", "eve", "none"),
    ),
    Door(
        name="portfolio",
        words=("portfolio",),
        path="portfolio",
        report=portfolio_report,
        sheet=portfolio_sheet,
        shown=("IBM", "8.2", "limit", "found at the broker"),
    ),
]
each_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)


@pytest.fixture(scope="module")
def audited(stack: Any) -> Iterator[Audited]:
    """Return an audit that holds the story, and its auditor; its tests only read."""
    with audited_log(stack, told()) as audited:
        yield audited


def whole(audited: Audited, door: Door) -> dict[str, Any]:
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        return door.report(connection)


@each_door
def test_http_and_the_command_line_say_what_the_query_says(audited: Audited, door: Door) -> None:
    audit, auditor = audited
    expected = whole(audited, door)
    assert auditor.get(f"/reports/{door.path}").text == to_json(expected)
    ran = audit.report(*door.words, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == json.loads(to_json(expected))


@each_door
def test_the_flat_forms_hold_every_row(audited: Audited, door: Door, tmp_path: Path) -> None:
    audit, auditor = audited
    target = tmp_path / "rows.parquet"
    ran = audit.report(*door.words, "--format", "parquet", "-o", str(target))
    assert ran.returncode == 0, ran.stderr
    sheet = door.sheet(whole(audited, door))
    expected = [set(row) for row in sheet.rows]
    table = pyarrow.parquet.read_table(target).to_pylist()
    answer = auditor.get(f"/reports/{door.path}", "text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len(table) == len(expected)
    assert tuple(rows[0]) == tuple(table[0]) == sheet.columns
    assert [{k: v or "" for k, v in row.items()} for row in table] == rows
    assert all(keys <= set(sheet.columns) for keys in expected)


@each_door
def test_people_see_it_on_a_page_and_at_the_command_line(audited: Audited, door: Door) -> None:
    audit, auditor = audited
    page = auditor.get(f"/reports/{door.path}", "text/html")
    assert page.status_code == 200
    assert "script" not in page.text
    table = audit.report(*door.words)
    assert table.returncode == 0, table.stderr
    for word in door.shown:
        assert word in page.text
        assert word in table.stdout


def test_an_unknown_decision_is_a_clear_problem(audited: Audited) -> None:
    audit, auditor = audited
    answer = auditor.get("/reports/decision/nobody")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "nobody" in answer.json()["detail"]
    assert auditor.get("/reports/decision/a%00b").status_code == 400
    assert "nobody" in auditor.get("/reports/decision/nobody", "text/html").text
    ran = audit.report("decision", "nobody")
    assert ran.returncode == 2
    assert "nobody" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("unresolved?limit=0", 422),
        ("unresolved?colour=red", 422),
        ("unresolved?symbol=A%20B", 400),
        ("unresolved?after=yesterday", 400),
        ("operator-acts?act=dance", 422),
        ("operator-acts?from=2020-02-30", 422),
        ("operator-acts?from=2020-03-02&to=2020-03-01", 400),
        ("operator-acts?operator=a%00", 400),
    ],
)
def test_wrong_words_are_clear_problems(audited: Audited, words: str, status: int) -> None:
    _, auditor = audited
    answer = auditor.get(f"/reports/{words}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_page_of_a_listing_leads_to_the_next(audited: Audited) -> None:
    audit, auditor = audited
    answer = auditor.get("/reports/unresolved?limit=1")
    following = auditor.get(answer.links["next"]["url"]).json()
    assert (following["unresolved"][0]["symbol"], following["next"]) == ("GE", None)
    ran = audit.report("unresolved", "--limit", "1", "--format", "csv")
    assert "1 of 2 unresolved" in ran.stderr
    page = auditor.get("/reports/unresolved?symbol=&limit=1", "text/html").text
    assert 'rel="next"' in page


def test_the_account_is_read_from_the_event_of_the_newest_answer(audited: Audited) -> None:
    audit, auditor = audited
    told = auditor.get("/reports/portfolio").json()
    broker = told["broker"]
    numbers = ("cash_usd", "buying_power_usd", "portfolio_value_usd")
    assert [broker[name] for name in numbers] == [5000.1, 10000.2, 20000]
    assert (broker["source"], broker["told_at"]) == ("broker", "2020-03-08T12:00:00Z")
    assert not [text for text in told["missing"] if text.startswith("broker")]
    placed = audit.rows(
        'SELECT topic, partition, "offset" FROM api_payloads WHERE call_id = %(id)s',
        id=broker["api_call_id"],
    )
    assert placed == [(broker["topic"], broker["partition"], broker["offset"])]
