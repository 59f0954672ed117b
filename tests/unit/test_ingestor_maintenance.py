"""The pure parts of maintenance: covered days, silence in sessions, and what differs from the bulk endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.known.coverage import Coverage, Days
from services.ingestor.known.ledger import Known, Ledger, identity_of
from services.ingestor.maintenance.comparison import Difference, compare, known_within
from services.ingestor.maintenance.findings import EXAMPLES_MAX, of_difference, of_gaps
from services.ingestor.maintenance.silence import (
    newest,
    newest_by_chamber,
    of_chamber,
    of_runs,
    of_source,
)
from services.ingestor.rows.records import FetchedRow, Record, congress_records
from services.ingestor.tasks import TASKS
from tests.contract.quiver_server import congress_row
from tradetrail.events.generated import IngestionRunStarted, RunTrigger

CONGRESS = TASKS["data_fetch:congress_daily"]
MARCH = Days(date(2024, 3, 1), date(2024, 3, 14))


def day(number: int) -> date:
    return date(2024, 3, 1) + timedelta(days=number - 1)


def began(on: date, start: date | None, end: date | None) -> IngestionRunStarted:
    """Return the beginning of a run at noon in New York."""
    return IngestionRunStarted(
        event_id="e",
        occurred_at=datetime(on.year, on.month, on.day, 17, tzinfo=UTC),
        service="ingestor",
        service_version="0",
        instance="test",
        run_id=f"{on} {start} {end}",
        task_name=CONGRESS.name,
        data_source=CONGRESS.data_source,
        data_date_start=start,
        data_date_end=end,
        trigger=RunTrigger.SCHEDULE,
        requested_by="test",
        configuration_hash="",
    )


def covered(*runs: tuple[date, date | None, date | None]) -> Coverage:
    coverage = Coverage()
    for run in runs:
        coverage.take(began(*run))
    return coverage


def test_a_day_is_covered_once_it_is_over() -> None:
    coverage = covered((day(8), day(1), day(8)))
    assert coverage.first(CONGRESS.name) == day(1)
    assert coverage.reach(CONGRESS.name) == day(7)
    assert coverage.gaps(CONGRESS.name) == []
    assert coverage.reach("another") is None
    assert coverage.first("another") is None


def test_days_between_covered_ones_that_nobody_asked_for_are_gaps() -> None:
    coverage = covered(
        (day(20), day(10), day(12)), (day(20), day(1), day(4)), (day(20), day(5), day(6))
    )
    assert coverage.gaps(CONGRESS.name) == [Days(day(7), day(9))]
    # The morning of the eighth is no eighth of March yet.
    coverage.take(began(day(8), day(7), day(8)))
    assert coverage.gaps(CONGRESS.name) == [Days(day(8), day(9))]
    coverage.take(began(day(20), day(8), day(9)))
    assert coverage.gaps(CONGRESS.name) == []
    assert coverage.first(CONGRESS.name) == day(1)


def test_a_run_of_today_alone_reaches_to_yesterday_and_covers_nothing() -> None:
    coverage = covered((day(8), day(8), day(8)))
    assert coverage.reach(CONGRESS.name) == day(7)
    assert coverage.first(CONGRESS.name) is None


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)), max_size=12))
def test_covered_ranges_are_the_union_of_the_runs_days(runs: list[tuple[int, int]]) -> None:
    coverage = covered(*((day(60), day(first), day(first + more)) for first, more in runs))
    asked = {day(first + n) for first, more in runs for n in range(more + 1)}
    gaps = {
        days.first + timedelta(days=n)
        for days in coverage.gaps(CONGRESS.name)
        for n in range((days.last - days.first).days + 1)
    }
    between = {day(n) for n in range(1, 60) if asked and min(asked) <= day(n) <= max(asked)}
    assert gaps == between - asked


def test_a_gap_is_told_with_the_command_that_mends_it() -> None:
    assert of_gaps(CONGRESS, []) == []
    (found,) = of_gaps(CONGRESS, [Days(day(3), day(3)), Days(day(7), day(9))])
    facts = json.loads(found.details)
    assert (found.code, found.subject) == ("days_not_covered", CONGRESS.name)
    assert facts["count"] == 4
    assert facts["ranges"] == [
        {"from": "2024-03-03", "to": "2024-03-03"},
        {"from": "2024-03-07", "to": "2024-03-09"},
    ]
    assert facts["commands"][1] == (
        "tradetrail ingest data_fetch:congress_daily --from 2024-03-07 --to 2024-03-09"
    )
    assert "2024-03-03" in found.message
    (many,) = of_gaps(CONGRESS, [Days(day(2 * n), day(2 * n)) for n in range(1, 200)])
    facts = json.loads(many.details)
    assert (facts["count"], facts["range_count"], len(facts["ranges"])) == (199, 199, 100)


# The first of March 2024 is a Friday.
@pytest.mark.parametrize(
    ("ran_on", "today", "is_told"),
    [
        (day(4), day(4), False),
        (day(4), day(5), False),
        (day(1), day(4), False),
        (day(4), day(6), True),
        (day(1), day(5), True),
    ],
    ids=["today", "yesterday", "before the weekend", "two days ago", "before Monday"],
)
def test_a_task_that_has_not_completed_is_told_after_two_sessions(
    ran_on: date, today: date, is_told: bool
) -> None:
    found = of_runs(CONGRESS, covered((ran_on, day(1), ran_on)), today, 1)
    assert bool(found) is is_told
    if found:
        assert json.loads(found[0].details)["sessions"] == 2
        assert found[0].message.endswith("tradetrail ingest data_fetch:congress_daily")


def test_a_task_that_never_completed_is_told() -> None:
    (found,) = of_runs(CONGRESS, Coverage(), day(4), 1)
    assert (found.code, found.subject) == ("no_completed_run", CONGRESS.name)
    assert json.loads(found.details)["reach"] is None


def test_silence_is_counted_in_sessions_up_to_the_day_that_runs_reach() -> None:
    coverage = covered((day(12), day(1), day(12)))
    # Friday's report: Monday to Friday are five sessions, and Monday the eleventh is the sixth.
    assert of_chamber(CONGRESS, coverage, "Senate", day(1), 6) == []
    (found,) = of_chamber(CONGRESS, coverage, "Senate", day(1), 5)
    assert (found.code, found.subject) == ("chamber_silent", "Senate")
    assert json.loads(found.details) == {
        "newest": "2024-03-01",
        "reach": "2024-03-11",
        "sessions": 6,
        "sessions_max": 5,
    }
    # Days that no run has asked for are no silence.
    assert of_chamber(CONGRESS, covered((day(8), day(1), day(8))), "Senate", day(1), 5) == []
    (found,) = of_source(CONGRESS, coverage, day(1), 5)
    assert (found.code, found.subject) == ("source_silent", CONGRESS.data_source)


def test_a_chamber_that_never_reported_is_silent_since_the_first_covered_day() -> None:
    coverage = covered((day(12), day(4), day(12)))
    assert of_chamber(CONGRESS, coverage, "Senate", None, 6) == []
    (found,) = of_chamber(CONGRESS, coverage, "Senate", None, 5)
    assert json.loads(found.details)["newest"] is None
    assert of_chamber(CONGRESS, Coverage(), "Senate", None, 5) == []


def records(*rows: tuple[int, dict[str, Any]]) -> list[Record]:
    fetched = [congress_row(day(number).isoformat(), **change).fields for number, change in rows]
    return congress_records([FetchedRow("call", n, row) for n, row in enumerate(fetched)])


def ledger_of(found: Iterable[Record]) -> Ledger:
    ledger = Ledger(CONGRESS.data_source)
    keep(ledger, found, MARCH)
    return ledger


def keep(ledger: Ledger, found: Iterable[Record], days: Days) -> None:
    """Take what a run of ``days`` would have delivered."""
    for verdict in ledger.judge(list(found), days.first, days.last):
        record = verdict.record
        ledger.take(
            Known(
                record_id=verdict.record_id,
                version=verdict.version,
                content_hash=record.content_hash,
                person_key=record.person_key,
                reported_on=record.reported_on,
                identity=identity_of(record),
                symbol=record.symbol,
            )
        )


ANN, BOB, CLEO = (
    {"Representative": name, "BioGuideID": f"{name[0]}000001"} for name in ("Ann", "Bob", "Cleo")
)


def difference(
    answer: list[Record], before: list[Record], since: list[list[Record]] | None = None
) -> Difference:
    """Compare an answer with a log of ``before`` and the deliveries of runs that came ``since``."""
    ledger = ledger_of(before)
    known = known_within(ledger, MARCH)
    for delivered in since or []:
        keep(ledger, delivered, MARCH)
    return compare(answer, known, ledger, MARCH)


NOTHING = Difference((), (), ())


def test_what_is_known_makes_no_difference() -> None:
    rows = records((2, ANN), (2, ANN), (5, BOB), (5, BOB | {"ExcessReturn": 4.0}))
    assert difference(rows, rows) == NOTHING


def test_missing_vanished_and_changed_rows_are_told_apart() -> None:
    before = records((2, ANN), (4, BOB), (4, BOB), (6, CLEO))
    answer = records(
        (2, ANN | {"Ticker": "MSFT"}), (4, BOB), (7, CLEO | {"Ticker": "IBM"}), (8, {})
    )
    # Cleo's row moved its day and its asset, two aspects: no correction.
    found = difference(answer, before)
    assert [record.reported_on for record in found.missing] == [day(7), day(8)]
    assert [known.reported_on for known in found.vanished] == [day(4), day(6)]
    ((known, verdict),) = found.changed
    assert (known.person_key, verdict.changed_fields) == ("A000001", ("Ticker",))


def test_a_run_that_delivers_while_the_answer_is_read_makes_no_difference() -> None:
    before = records((2, ANN), (4, BOB))
    # The answer was given before the vendor corrected Ann's row and added Cleo's.
    since = records((2, ANN | {"Ticker": "MSFT"}), (4, BOB), (6, CLEO))
    assert difference(before, before, [since]) == NOTHING
    # And after it: the run has delivered just what the answer says.
    assert difference(since, before, [since]) == NOTHING
    # The answer tells of a state between what was known and what is known: none of both lacks anything.
    between = records((2, ANN | {"Ticker": "IBM"}), (4, BOB))
    assert difference(between, before, [since]) == NOTHING


def test_a_row_that_runs_have_since_corrected_twice_is_not_missing() -> None:
    once = ANN | {"Ticker": "MSFT"}
    twice = once | {"Range": "$15,001 - $50,000", "Transaction": "Sale"}
    answer = records((2, ANN))
    assert difference(answer, answer, [records((2, once)), records((2, twice))]) == NOTHING


def test_a_record_without_a_readable_day_is_left_out() -> None:
    undated = records((2, ANN | {"ReportDate": "someday"}))
    assert difference(undated, []) == NOTHING
    assert difference([], undated) == NOTHING
    # The day of a row that had none: nothing vanished, since the old row could not be placed.
    found = difference(records((2, ANN)), undated)
    assert (len(found.missing), found.vanished, found.changed) == (1, (), ())


def test_only_the_compared_days_count() -> None:
    outside = records((20, ANN))
    ledger = ledger_of([])
    keep(ledger, outside, Days(day(20), day(20)))
    assert compare([], known_within(ledger, MARCH), ledger, MARCH) == NOTHING


def test_differences_are_counted_exactly_and_shown_by_example() -> None:
    answer = records(*((n % 3 + 1, ANN | {"Description": str(n)}) for n in range(30)))
    (found,) = of_difference(CONGRESS, MARCH, difference(answer, []))
    facts = json.loads(found.details)
    assert (found.code, found.subject) == ("missing_records", "quiverquant_congress")
    assert facts["count"] == 30
    assert facts["days"] == {"2024-03-01": 10, "2024-03-02": 10, "2024-03-03": 10}
    assert facts["compared"] == {"from": "2024-03-01", "to": "2024-03-14"}
    assert len(facts["examples"]) == EXAMPLES_MAX
    assert facts["examples"][0] == {"person": "Ann", "ticker": "AAPL", "day": "2024-03-01"}
    assert facts["command"] in found.message
    assert of_difference(CONGRESS, MARCH, NOTHING) == []


def test_the_command_for_a_moved_day_fetches_the_old_one_too() -> None:
    found = difference(records((9, ANN)), records((2, ANN)))
    (told,) = of_difference(CONGRESS, MARCH, found)
    assert told.code == "changed_records"
    assert "--from 2024-03-02 --to 2024-03-09" in told.message
    example = json.loads(told.details)["examples"][0]
    assert example["changed_fields"] == ["ReportDate"]


def test_nothing_is_advised_for_what_vanished() -> None:
    (told,) = of_difference(CONGRESS, MARCH, difference([], records((2, ANN))))
    assert told.code == "vanished_records"
    assert "command" not in json.loads(told.details)
    assert "tradetrail" not in told.message


def test_the_newest_report_of_each_chamber_leaves_out_days_to_come() -> None:
    senate = {"House": "Senate"}
    ledger = ledger_of(records((2, ANN | senate), (3, BOB), (5, BOB), (13, CLEO | senate)))
    assert newest_by_chamber(ledger, day(9)) == {"Senate": day(2), "Representatives": day(5)}
    assert newest(ledger, day(9)) == day(5)
    assert newest_by_chamber(ledger, None) == {}
    assert newest(ledger, None) is None
