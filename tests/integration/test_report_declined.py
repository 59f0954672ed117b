"""Why there was no trade, over what the auditor wrote: from the query, SQL, HTTP, the page and the command line."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow.parquet
import pytest

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, Running, audit_of, told_by_pages
from tests.integration.fresh_log import fresh_log
from tests.known_story import DAY, TRIGGERED, Told, after, before
from tradetrail.events.generated import DeclineReason
from tradetrail.reports.connection import open_reader, prepare_reader
from tradetrail.reports.declined import COLUMNS, DeclinedFilter, declined_report
from tradetrail.reports.encode import to_json
from tradetrail.reports.queries import statement

pytestmark = pytest.mark.stack

Audited = tuple[Audit, Running]
INSIDER = "CorporateInsiderStrategy"
# Newest first, then decision id, descending; the tied ones were declined at one instant.
TIED = sorted((f"tied-{n}" for n in range(4)), key=lambda name: story.an_id("d", name))[::-1]
NEWEST_FIRST = ["late", "n2", *TIED, "n1", "n0"]
MONDAY, TUESDAY = date(2020, 3, 2), date(2020, 3, 3)


@pytest.fixture(scope="module")
def audited(stack: Any) -> Iterator[Audited]:
    """Return an audit that holds declined signals of three symbols, and its auditor; its tests only read."""
    told = Told()
    with audit_of(fresh_log(stack), stack.addresses.postgres_dsn) as audit:
        for placed in (before(), after()):
            told.add(placed, audit.send(placed))
        tied = TRIGGERED + timedelta(minutes=1)
        # An hour before midnight in New York, which is the next day in UTC.
        late = story.BEGIN.replace(hour=4) + 2 * DAY
        audit.send(
            [
                *told.decided(),
                *(("megacap", "MSFT", story.declined(name, "MSFT", tied)) for name in TIED),
                ("megacap", "MSFT", story.declined("late", "MSFT", late)),
                ("default", "IBM", story.disclosure("waiting", "IBM")),
                ("default", "IBM", story.ready("waiting", "IBM")),
                ("default", "F", story.disclosure("silent", "F")),
                ("megacap", "NVDA", story.decision("refused", "NVDA")),
                ("megacap", "NVDA", story.blocked("refused", "NVDA")),
            ]
        )
        auditor = audit.start().wait_ready()
        audit.wait_audited()
        yield audit, auditor


def report(
    audited: Audited, limit: int = 100, after: str | None = None, **chosen: Any
) -> dict[str, Any]:
    audit, _ = audited
    with open_reader(audit.dsn, audit.schema) as connection:
        return declined_report(connection, DeclinedFilter(**chosen), limit, after)


def ids(answer: dict[str, Any]) -> list[str]:
    return [signal["decision_id"] for signal in answer["declined"]]


def named(names: list[str]) -> list[str]:
    return [story.an_id("d", name) for name in names]


def test_every_declined_signal_is_told_with_its_numbers(audited: Audited) -> None:
    answer = report(audited)
    assert list(answer) == ["period", "filters", "totals", "activity", "next", "declined"]
    assert ids(answer) == named(NEWEST_FIRST)
    assert all(tuple(signal) == COLUMNS for signal in answer["declined"])
    assert answer["totals"] == {
        "declined": len(NEWEST_FIRST),
        "reasons": {"below_threshold": len(NEWEST_FIRST) - 1, "no_position": 1},
    }
    assert answer["activity"] is None
    (signal,) = (s for s in answer["declined"] if s["decision_id"] == story.an_id("d", "n1"))
    assert (signal["symbol"], signal["declined_at"]) == ("AAPL", TRIGGERED)
    assert (signal["reason"], signal["reason_text"]) == (
        "below_threshold",
        "strength 2 is below 5",
    )
    assert (signal["signal_strength"], signal["confidence_score"]) == (2, Decimal("0.85"))
    assert signal["rules"][-1] == {
        "rule": "strength",
        "value": 2,
        "threshold": 5,
        "passed": False,
        "explanation": "strength 2 is below 5",
    }
    assert (signal["records_used"], signal["names"]) == (1, ["Nancy Pelosi"])
    assert signal["ingestion_run_ids"] == ["run-1"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"symbol": "aapl"}, ["n2", "n1", "n0"]),
        ({"symbol": "MSFT", "start": MONDAY, "end": MONDAY}, TIED),
        ({"symbol": "MSFT", "start": TUESDAY}, ["late"]),
        ({"start": TUESDAY, "end": TUESDAY}, ["late", "n2"]),
        ({"start": date(2020, 3, 4)}, []),
        ({"strategy": INSIDER}, ["n2"]),
        ({"reason": DeclineReason.NO_POSITION}, ["n2"]),
        ({"reason": DeclineReason.NO_POSITION, "symbol": "MSFT"}, []),
        ({"reason": DeclineReason.STALE_DISCLOSURES}, []),
    ],
    ids=lambda value: "-".join(str(v) for v in (value.values() if isinstance(value, dict) else [])),
)
def test_filters(audited: Audited, chosen: dict[str, Any], expected: list[str]) -> None:
    answer = report(audited, **chosen)
    assert ids(answer) == named(expected)
    assert answer["totals"]["declined"] == sum(answer["totals"]["reasons"].values())
    assert answer["totals"]["declined"] == len(expected)


def test_the_pages_together_are_the_whole_and_each_has_the_same_totals(audited: Audited) -> None:
    whole = report(audited)
    for limit in (1, 3, len(NEWEST_FIRST)):
        told = told_by_pages(lambda *page: report(audited, *page), "declined", limit)
        assert told == whole["declined"]
        assert report(audited, limit)["totals"] == whole["totals"]


@pytest.mark.parametrize(
    ("symbol", "days", "counts", "words"),
    [
        ("AAPL", (MONDAY, MONDAY), (11, 2, 2, 3, 0, 2), ["2 triggers", "2 signals declined"]),
        ("IBM", (MONDAY, MONDAY), (1, 1, 0, 0, 0, 0), ["1 trigger ", "1 without an answer"]),
        ("F", (MONDAY, MONDAY), (1, 0, 0, 0, 0, 0), ["1 disclosure of F", "No SymbolDataReady"]),
        ("MSFT", (date(2020, 3, 4), None), (0, 0, 0, 0, 0, 0), ["No disclosures of MSFT"]),
        ("NVDA", (None, None), (0, 0, 0, 1, 1, 0), ["1 of the decisions failed"]),
        ("ZZZZ", (None, None), (0, 0, 0, 0, 0, 0), ["Nothing is recorded about ZZZZ at all"]),
    ],
    ids=["answered", "unanswered", "untriggered", "other-day", "refused", "unknown"],
)
def test_a_symbols_period_is_an_answer_also_without_a_declined_signal(
    audited: Audited, symbol: str, days: Any, counts: tuple[int, ...], words: list[str]
) -> None:
    activity = report(audited, symbol=symbol, start=days[0], end=days[1])["activity"]
    assert list(activity) == [
        *("disclosures_received", "triggers", "triggers_answered"),
        *("decisions_made", "decisions_failed", "declined", "statement"),
    ]
    assert tuple(activity.values())[:-1] == counts
    for word in words:
        assert word in activity["statement"]
    # Other filters narrow the list, not what came.
    narrowed = report(
        audited, symbol=symbol, start=days[0], end=days[1], reason=DeclineReason.NOT_TRADABLE
    )
    assert narrowed["activity"] == activity
    assert narrowed["declined"] == []


def test_people_with_their_own_sql_see_the_same(audited: Audited) -> None:
    audit, _ = audited
    with psycopg.connect(audit.dsn, autocommit=True) as connection:
        prepare_reader(connection, audit.schema, "tradetrail_compliance")
        found = connection.execute(
            "SELECT decision_id, reason, rules, names FROM declined_decisions_explained WHERE symbol = 'AAPL' "
            "ORDER BY declined_at DESC"
        ).fetchall()
    told = report(audited, symbol="AAPL")["declined"]
    assert found == [(s["decision_id"], s["reason"], s["rules"], s["names"]) for s in told]


def test_http_and_the_command_line_say_what_the_query_says(audited: Audited) -> None:
    audit, auditor = audited
    asked = report(audited, limit=2, symbol="MSFT", start=MONDAY, end=TUESDAY)
    path = "/reports/declined?symbol=msft&from=2020-03-02&to=2020-03-03&limit=2"
    answer = auditor.get(path)
    assert answer.text == to_json(asked)
    following = auditor.get(answer.links["next"]["url"])
    assert ids(following.json()) == named(["late", *TIED])[2:4]
    words = ("--symbol", "msft", "--from", "2020-03-02", "--to", "2020-03-03", "--limit", "2")
    ran = audit.report("declined", *words, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == answer.json()


def test_the_page_shows_why_and_leads_on(audited: Audited) -> None:
    _, auditor = audited
    page = auditor.get("/reports/declined?symbol=MSFT&from=&to=&reason=&limit=4", "text/html")
    assert page.status_code == 200
    assert "script" not in page.text
    assert "4 of 5" in page.text
    assert "strength 2 is below 5" in page.text
    assert f"/reports/known-at/{story.an_id('d', 'late')}" in page.text
    onward = re.search(r'href="([^"]+)" rel="next"', page.text)
    assert onward is not None
    assert "1 of 5" in auditor.get(html.unescape(onward[1]), "text/html").text
    assert 'href="/reports/declined"' in auditor.get("/", "text/html").text
    none = auditor.get("/reports/declined?symbol=IBM", "text/html").text
    assert "No declined signal matches" in none
    assert "1 without an answer" in none


def test_the_flat_forms_hold_every_signal_with_its_numbers_as_json(
    audited: Audited, tmp_path: Any
) -> None:
    audit, auditor = audited
    target = tmp_path / "declined.parquet"
    ran = audit.report("declined", "--format", "parquet", "-o", str(target))
    assert ran.returncode == 0, ran.stderr
    table = pyarrow.parquet.read_table(target).to_pylist()
    sheet = list(csv.DictReader(io.StringIO(auditor.get("/reports/declined", "text/csv").text)))
    whole = json.loads(to_json(report(audited)["declined"]))
    for rows in (table, sheet):
        assert [row["decision_id"] for row in rows] == named(NEWEST_FIRST)
        for name in ("rules", "names", "ingestion_run_ids"):
            assert [json.loads(row[name]) for row in rows] == [signal[name] for signal in whole]


def test_people_see_why_not_and_how_to_read_on(audited: Audited) -> None:
    audit, _ = audited
    ran = audit.report("declined", "--symbol", "AAPL", "--limit", "2")
    for word in ("no_position", "below_threshold", "strength 2 is below 5", "3 triggers"):
        assert word in ran.stdout
    assert "2 of 3 declined" in ran.stderr
    cursor = ran.stderr.split("--after")[1].strip()
    rest = audit.report("declined", "--symbol", "AAPL", "--after", cursor, "--format", "csv")
    assert len(rest.stdout.splitlines()) == 2
    assert "3 triggers" in rest.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("reason=bad_mood", 422),
        ("limit=0", 422),
        ("symbl=MSFT", 422),
        ("from=2020-03-02&to=2020-03-01", 400),
        ("symbol=A%20B", 400),
        ("strategy=Nonsense", 400),
        ("after=nowhere", 400),
    ],
)
def test_bad_questions_get_problems(audited: Audited, words: str, status: int) -> None:
    answer = audited[1].get(f"/reports/declined?{words}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_page_is_read_by_index(audited: Audited) -> None:
    audit, _ = audited
    nothing = dict.fromkeys(("symbol", "strategy", "reason", "since", "until"))
    page = nothing | {"after_at": story.BEGIN, "after_id": "x", "rows_max": 3}
    with psycopg.connect(audit.dsn, autocommit=True) as connection:
        prepare_reader(connection, audit.schema, "")
        # The tables are small here; what matters is that an index serves.
        connection.execute("SET enable_seqscan = off")
        for query, arguments, index in (
            ("declined_page", page, "declined_decisions_listed"),
            ("declined_page", page | {"symbol": "AAPL"}, "declined_decisions"),
            ("symbol_activity", nothing | {"symbol": "AAPL"}, "symbol_data_ready_symbol"),
        ):
            lines = connection.execute("EXPLAIN " + statement(query), arguments).fetchall()
            plan = "\n".join(line for (line,) in lines)
            assert index in plan
            assert "Seq Scan" not in plan
