"""What was known at a decision: all up to its trigger and nothing later, over what the auditor wrote."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow.parquet
import pytest

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, Running, audit_of
from tests.integration.fresh_log import fresh_log
from tests.known_story import LOOKBACK_DAYS, TRIGGERED, VIEW_FROM, Told, after, before
from tradetrail.events import generated as e
from tradetrail.reports import known_at as known_at_module
from tradetrail.reports.connection import open_reader, prepare_reader
from tradetrail.reports.encode import to_json
from tradetrail.reports.export import FileForm, to_csv, to_parquet
from tradetrail.reports.known_at import (
    COLUMNS,
    LISTS,
    SECTIONS,
    known_at_export,
    known_at_report,
    known_at_sheet,
)
from tradetrail.reports.queries import statement

pytestmark = pytest.mark.stack

Audited = tuple[Audit, Running, Told]


@pytest.fixture(scope="module")
def audited(stack: Any) -> Iterator[Audited]:
    """Return an audit that holds the story, its auditor, and where each event landed; its tests only read."""
    told = Told()
    with audit_of(fresh_log(stack), stack.addresses.postgres_dsn) as audit:

        def send(placed: Any) -> None:
            landed = audit.send(placed)
            told.add(placed, landed)

        send(before())
        send(after())
        send(told.decided())
        act = replace(
            story.operator_act("they said so"),
            act=e.OperatorAct.MANUAL_ORDER,
            symbol="AAPL",
            operator="bob",
        )
        send([("megacap", "AAPL", act)])
        ordered = replace(
            story.declined("manual"),
            strategy_name="manual",
            view_through=told.places[act.event_id].offset,
        )
        send([("megacap", "AAPL", ordered)])
        auditor = audit.start().wait_ready()
        audit.wait_audited()
        yield audit, auditor, told


def known(audited: Audited, name: str) -> dict[str, Any]:
    audit, _, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        return known_at_report(connection, story.an_id("d", name))


def standings(report: dict[str, Any]) -> dict[tuple[str, int], str]:
    names = ("old", "edge", "used", "changed", "moved", "insider", "later-changed", "later-moved")
    by_id = {story.an_id("record", name): name for name in names}
    return {(by_id[r["record_id"]], r["version"]): r["standing"] for r in report["records"]}


def test_every_version_up_to_the_trigger_is_told_with_what_it_was_to_the_decision(
    audited: Audited,
) -> None:
    report = known(audited, "d1")
    assert standings(report) == {
        ("old", 1): "outside_window",
        ("edge", 1): "seen",
        ("used", 1): "used",
        ("changed", 1): "superseded",
        ("changed", 2): "seen",
        ("moved", 1): "withdrawn",
        ("insider", 1): "seen",
        ("later-changed", 1): "seen",
        ("later-moved", 1): "seen",
    }
    assert report["totals"]["records"] == 9
    assert [report["totals"][name] for name in ("used", "seen", "superseded")] == [1, 5, 1]
    assert [report["totals"][name] for name in ("withdrawn", "outside_window")] == [1, 1]
    by_offset = [record["offset"] for record in report["records"]]
    assert by_offset == sorted(by_offset)
    (moved,) = (r for r in report["records"] if r["standing"] == "withdrawn")
    assert (moved["moved_to_symbol"], moved["withdrawn_at"]) == ("F", story.BEGIN)
    assert report["missing_records"] == []


@pytest.mark.parametrize("name", ["d1", "n1", "unbounded"])
def test_nothing_after_the_trigger_is_ever_shown(audited: Audited, name: str) -> None:
    _, _, told = audited
    report = known(audited, name)
    through = told.place("ready", "t1").offset
    assert report["view"]["view_through"] == through
    for section in ("records", "orders", "operator_acts", "unreadable_events"):
        assert all(row["offset"] <= through for row in report[section]), section
    assert all(row["view_through"] < through for row in report["earlier_answers"])
    # Not as a word either: what came later is to be found nowhere, whatever section would hold it.
    text = to_json(report)
    for late in after():
        assert late[2].event_id not in text
    assert story.an_id("record", "too-late") not in text
    assert story.an_id("d", "n2") not in text
    # What was known has not changed by what came later.
    assert all(r["superseded_by_version"] != 2 or r["version"] == 1 for r in report["records"])
    assert [order["status"] for order in report["orders"]] == ["submitting", "accepted"]


def test_the_window_is_that_of_the_configuration_the_decision_names(audited: Audited) -> None:
    view = known(audited, "d1")["view"]
    assert (view["lookback_days"], view["view_from"]) == (LOOKBACK_DAYS, VIEW_FROM)
    assert view["triggered_at"] == TRIGGERED
    assert view["trigger_id"] == story.an_id("ready", "t1")
    unbounded = known(audited, "unbounded")
    assert (unbounded["view"]["lookback_days"], unbounded["view"]["view_from"]) == (None, None)
    assert standings(unbounded)["old", 1] == "seen"
    assert unbounded["totals"]["outside_window"] == 0


def test_kafkas_own_time_is_beside_the_services(audited: Audited) -> None:
    audit, _, _ = audited
    report = known(audited, "d1")
    appended = audit.rows("SELECT event_id::text, available_at FROM events")
    by_event = dict(appended)
    for record in report["records"]:
        assert record["appended_at"] == by_event[record["event_id"]]
    assert report["decision"]["appended_at"] == by_event[story.an_id("decision", "d1")]
    assert report["view"]["trigger_appended_at"] == by_event[story.an_id("ready", "t1")]
    assert report["reference_facts"][0]["appended_at"] == by_event[story.an_id("seat", "P000197")]


def test_earlier_answers_count_from_their_trigger_with_the_status_of_then(audited: Audited) -> None:
    answers = {row["decision_id"]: row for row in known(audited, "d1")["earlier_answers"]}
    # The event of d0 stands after the trigger of d1, whose decider had made it itself before. By now it is executed.
    assert answers.keys() == {story.an_id("d", "d0"), story.an_id("d", "n0")}
    earlier = answers[story.an_id("d", "d0")]
    assert (earlier["outcome"], earlier["status"]) == ("made", "executing")
    later = {row["decision_id"]: row for row in known(audited, "n2")["earlier_answers"]}
    assert later[story.an_id("d", "d0")]["status"] == "executed"
    assert later[story.an_id("d", "n1")]["reason"] == "below_threshold"
    assert later[story.an_id("d", "d1")]["status"] == "pending"


def test_what_the_decision_recorded_of_the_outside_is_told(audited: Audited) -> None:
    _, _, told = audited
    report = known(audited, "d1")
    seat = told.place("seat", "P000197")
    (fact,) = report["reference_facts"]
    assert (fact["kind"], fact["subject"], fact["value"]) == ("committee_seat", "P000197", "HSIF")
    assert (fact["topic"], fact["partition"], fact["offset"], fact["in_reach"]) == (
        *(seat.topic, seat.partition, seat.offset),
        True,
    )
    assert report["view"]["reference_through"] == [
        {"topic": seat.topic, "partition": seat.partition, "offset": seat.offset}
    ]
    (run,) = report["ingestion_runs"]
    assert (run["ingestion_run_id"], run["records_known"], run["records_used"]) == ("run-1", 9, 1)
    assert report["market_context"]["current_price"] == Decimal("72.33")
    assert report["portfolio_context"] is None
    # Its order's calls are under its id as well, and came later.
    assert [call["api_call_id"] for call in report["api_calls"]] == [story.an_id("call", "bars")]
    in_vain = known(audited, "n1")["api_calls"]
    assert [call["api_call_id"] for call in in_vain] == [story.an_id("call", "in vain")]
    shared = known(audited, "n2")["api_calls"]
    assert [call["api_call_id"] for call in shared] == [story.an_id("call", "shared")]


def test_a_record_that_could_not_be_known_is_named(audited: Audited) -> None:
    report = known(audited, "wrong")
    (missing,) = report["missing_records"]
    assert missing["record_id"] == story.an_id("record", "too-late")
    assert report["totals"]["missing_records"] == 1
    assert report["totals"]["used"] == 1


def test_a_persons_order_tells_who_and_why_also_when_it_was_declined(audited: Audited) -> None:
    report = known(audited, "manual")
    decision = report["decision"]
    assert (decision["made_by"], decision["why"]) == ("bob", "they said so")
    assert report["operator_acts"][-1]["act"] == "manual_order"
    # By now everything else has happened: the later order, the act, the order found at the broker.
    assert "filled" in [order["status"] for order in report["orders"]]
    assert "found at the broker" in [order["reason_text"] for order in report["orders"]]


PAGED = ("records", "earlier_answers", "orders", "operator_acts")


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("name", ["d1", "manual"])
def test_pages_joined_are_the_whole_and_their_totals_are_the_same(
    audited: Audited, name: str, limit: int
) -> None:
    audit, _, _ = audited
    whole = known(audited, name)
    assert whole["next"] is None
    joined: dict[str, list[Any]] = {section: [] for section in SECTIONS}
    after = None
    with open_reader(audit.dsn, audit.schema) as connection:
        for _ in range(sum(whole["totals"][section] for section in PAGED)):
            page = known_at_report(connection, story.an_id("d", name), limit=limit, after=after)
            for section in SECTIONS:
                joined[section] += page[section]
            for section in PAGED:
                assert len(page[section]) <= limit
            assert {**page, **joined, "next": None} == {**whole, **joined}
            after = page["next"]
            if after is None:
                break
    assert after is None
    assert joined == {section: whole[section] for section in SECTIONS}
    for section, rows in joined.items():
        assert len(rows) == whole["totals"][section], section


def test_rows_of_one_event_are_told_apart_by_pages(audited: Audited) -> None:
    orders = known(audited, "manual")["orders"]
    refused = [order for order in orders if order["status"] == "blocked"]
    assert len(refused) == 2
    assert len({order["offset"] for order in refused}) == 1


@pytest.mark.parametrize("form", FileForm)
def test_the_whole_is_streamed_as_one_page_of_it_would_be(
    audited: Audited, monkeypatch: pytest.MonkeyPatch, form: FileForm
) -> None:
    audit, _, _ = audited
    monkeypatch.setattr(known_at_module, "EXPORT_PAGE_ROWS", 2)
    report, decision_id = known(audited, "manual"), story.an_id("d", "manual")
    with (
        open_reader(audit.dsn, audit.schema) as connection,
        known_at_export(connection, decision_id) as export,
    ):
        content = b"".join(export.parts(form))
        assert export.rows_done == export.rows_total
    sheet = known_at_sheet(report)
    match form:
        case FileForm.JSON:
            assert json.loads(content) == json.loads(to_json(report))
        case FileForm.CSV:
            assert content.decode() == to_csv(sheet)
        case FileForm.PARQUET:
            tables = [
                pyarrow.parquet.read_table(io.BytesIO(c)) for c in (content, to_parquet(sheet))
            ]
            assert tables[0].equals(tables[1])


def test_pages_are_followed_over_http(audited: Audited) -> None:
    _, auditor, _ = audited
    decision_id = story.an_id("d", "d1")
    whole = known(audited, "d1")
    url: str | None = f"/reports/known-at/{decision_id}?limit=4"
    records: list[str] = []
    while url and len(records) < len(whole["records"]):
        answer = auditor.get(url, "application/json")
        records += [record["event_id"] for record in answer.json()["records"]]
        assert answer.json()["totals"] == json.loads(to_json(whole["totals"]))
        url = answer.links["next"]["url"] if "next" in answer.links else None
    assert url is None
    assert records == [record["event_id"] for record in whole["records"]]
    page = auditor.get(f"/reports/known-at/{decision_id}?limit=4", "text/html").text
    (onward,) = re.findall(r'<a href="([^"]*)" rel="next">', page)
    later = auditor.get(html.unescape(onward), "text/html").text
    assert 'rel="next"' in later
    for shown in (page, later):
        assert "4 of 9 versions, in log order" in shown
    # Its two earlier answers and two states of orders stood on the page before.
    assert "None on this page" not in page
    assert later.count("None on this page") >= 2
    everything = auditor.get(f"/reports/known-at/{decision_id}?all=true&format=csv")
    assert everything.text == to_csv(known_at_sheet(whole))


def test_pages_are_followed_at_the_command_line(audited: Audited) -> None:
    audit, _, _ = audited
    asked = ("known-at", story.an_id("d", "d1"))
    first = audit.report(*asked, "--limit", "4")
    assert "records: 4 of 9" in first.stdout
    cursor = first.stderr.strip().rpartition("--after ")[2]
    second = audit.report(*asked, "--limit", "4", "--after", cursor)
    assert "earlier answers: none of 2 on this page" in second.stdout
    told = audit.report(*asked, "--all", "--format", "csv")
    assert told.stdout == to_csv(known_at_sheet(known(audited, "d1")))


@pytest.mark.parametrize(
    ("words", "status"),
    [("after=x", 400), ("limit=0", 422), ("all=true&limit=5", 422), ("page=2", 422)],
)
def test_pages_that_can_not_be_are_problems(audited: Audited, words: str, status: int) -> None:
    _, auditor, _ = audited
    decision_id = story.an_id("d", "d1")
    assert auditor.get(f"/reports/known-at/{decision_id}?{words}").status_code == status


def test_people_with_their_own_sql_see_the_same(audited: Audited) -> None:
    audit, _, _ = audited
    decision_id = story.an_id("d", "d1")
    with psycopg.connect(audit.dsn, autocommit=True) as connection:
        prepare_reader(connection, audit.schema, "tradetrail_compliance")
        found = connection.execute(
            'SELECT record_id, version, standing FROM known_at_decision WHERE decision_id = %s ORDER BY "offset"',
            (decision_id,),
        ).fetchall()
    expected = [
        (r["record_id"], r["version"], r["standing"]) for r in known(audited, "d1")["records"]
    ]
    assert found == expected


def test_http_and_the_command_line_say_what_the_query_says(audited: Audited, tmp_path: Any) -> None:
    audit, auditor, _ = audited
    decision_id = story.an_id("d", "d1")
    whole = known(audited, "d1")
    assert auditor.get(f"/reports/known-at/{decision_id}").text == to_json(whole)
    ran = audit.report("known-at", decision_id, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == json.loads(to_json(whole))
    target = tmp_path / "known.parquet"
    assert (
        audit.report("known-at", decision_id, "--format", "parquet", "-o", str(target)).returncode
        == 0
    )
    table = pyarrow.parquet.read_table(target).to_pylist()
    sheet = list(
        csv.DictReader(
            io.StringIO(auditor.get(f"/reports/known-at/{decision_id}", "text/csv").text)
        )
    )
    sections = [section for section in SECTIONS for _ in whole[section]]
    for rows in (table, sheet):
        assert [row["section"] for row in rows] == sections
    assert {key for section in SECTIONS for row in whole[section] for key in row} <= set(COLUMNS)
    people = audit.report("known-at", decision_id).stdout
    for word in ("used", "superseded", "withdrawn", "outside_window", "through offset", "HSIF"):
        assert word in people


def test_the_page_shows_each_standing(audited: Audited) -> None:
    _, auditor, _ = audited
    page = auditor.get(f"/reports/known-at/{story.an_id('d', 'd1')}", "text/html")
    assert page.status_code == 200
    assert "script" not in page.text
    for word in ("used", "superseded", "withdrawn", "outside window", "now under F", "HSIF"):
        assert word in page.text
    wrong = auditor.get(f"/reports/known-at/{story.an_id('d', 'wrong')}", "text/html").text
    assert "Named, but not known" in wrong
    declined = auditor.get(f"/reports/known-at/{story.an_id('d', 'manual')}", "text/html").text
    assert "Ordered by bob: they said so" in declined


def test_an_unknown_decision_is_a_clear_problem(audited: Audited) -> None:
    audit, auditor, _ = audited
    answer = auditor.get("/reports/known-at/nobody")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "nobody" in answer.json()["detail"]
    assert auditor.get("/reports/known-at/a%00b").status_code == 400
    assert "nobody" in auditor.get("/reports/known-at/nobody", "text/html").text
    ran = audit.report("known-at", "nobody")
    assert ran.returncode == 2
    assert "nobody" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_one_symbols_history_is_read_by_index(audited: Audited) -> None:
    audit, _, told = audited
    place = told.place("ready", "t1")
    arguments = {
        "decision_id": story.an_id("d", "d1"),
        "symbol": "AAPL",
        "topic": place.topic,
        "partition": place.partition,
        "view_through": place.offset,
        "view_from": datetime(2020, 1, 1, tzinfo=UTC),
        "call_ids": ["a"],
        "record_ids": ["a"],
        "rows_max": 101,
        **{name: None for each in LISTS.values() for name in each.readers},
        "outcome": "declined",
    }
    with psycopg.connect(audit.dsn, autocommit=True) as connection:
        prepare_reader(connection, audit.schema, "")
        # The tables are small here; what matters is that an index serves.
        connection.execute("SET enable_seqscan = off")
        for query in (
            *("known_decision", "known_sums", "known_standings", "known_used"),
            *("known_facts", "known_runs", "known_calls"),
            *(each.query for each in LISTS.values()),
        ):
            lines = connection.execute("EXPLAIN " + statement(query), arguments).fetchall()
            plan = "\n".join(line for (line,) in lines)
            assert "Seq Scan" not in plan, f"{query}\n{plan}"
