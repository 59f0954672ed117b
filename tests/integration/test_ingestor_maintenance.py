"""Maintenance against a vendor and a real log: what it notices, what it leaves alone, and what mends it."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.ingestor.parts import Outcome
from services.ingestor.service import Schedule
from services.ingestor.settings import ScheduleEntry
from services.ingestor.sources.quiver import CONGRESS_BULK, Window
from tests.contract.quiver_server import (
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    insider_row,
    quiver,
)
from tests.eventually import DEADLINE_S, eventually
from tests.integration.ingestor_harness import (
    CONGRESS,
    INSIDER,
    MAINTENANCE,
    SEATS,
    Ingestor,
    ingestor,
)
from tradetrail.events.generated import (
    ApiCallRecorded,
    DisclosureRecorded,
    IngestionRunCompleted,
    IngestionRunFailed,
    RunFinding,
)
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

SENATE = {"House": "Senate", "BioGuideID": "S000001", "Representative": "Sam Senator"}
# Friday the fifteenth, 08:00 in New York; the first of March is a Friday too.
NOW, FIRST, YESTERDAY = "2024-03-15T12:00:00Z", date(2024, 3, 1), date(2024, 3, 14)
ROWS = [
    row
    for number in range((YESTERDAY - FIRST).days + 1)
    for day in [(FIRST + timedelta(days=number)).isoformat()]
    for row in (congress_row(day), congress_row(day), congress_row(day, **SENATE))
]


@pytest.fixture
def client() -> Iterator[Client]:
    world = SmallWorld(
        list(ROWS), [insider_row("2024-03-14T08:00:00.000")], [committee_snapshot("2024-01-01")]
    )
    with quiver(world, NOW) as running:
        yield running


@pytest.fixture
def here(log: SharedSettings, client: Client) -> Iterator[Ingestor]:
    with ingestor(log, client) as made:
        yield made


def fetch(here: Ingestor, first: date = FIRST, last: date = YESTERDAY) -> None:
    assert here.run(CONGRESS, Window(first, last, is_explicit=True)).error is None


def fetch_all(here: Ingestor) -> None:
    """Run every task once, congress for all days there are."""
    fetch(here)
    assert here.run(INSIDER, Window(YESTERDAY, YESTERDAY, is_explicit=True)).error is None
    assert here.run(SEATS).error is None


def said(outcome: Outcome) -> list[tuple[str, str]]:
    assert outcome.error is None
    return [(finding.code, finding.subject) for finding in outcome.findings]


def facts(findings: Sequence[RunFinding], code: str) -> dict[str, Any]:
    (found,) = [finding for finding in findings if finding.code == code]
    details: dict[str, Any] = json.loads(found.details)
    return details


def obey(here: Ingestor, command: str) -> Outcome:
    """Do what ``tradetrail ingest TASK --from D --to D`` does, in this process."""
    program, verb, task, *options = shlex.split(command)
    assert (program, verb, options[0], options[2]) == ("tradetrail", "ingest", "--from", "--to")
    days = [date.fromisoformat(text) for text in (options[1], options[3])]
    return here.run(task, Window(days[0], days[1], is_explicit=True))


def bulk_calls(here: Ingestor) -> list[ApiCallRecorded]:
    return [call for call in here.events(ApiCallRecorded) if call.endpoint == CONGRESS_BULK]


def test_when_all_is_well_nothing_is_found_at_the_price_of_one_request(here: Ingestor) -> None:
    fetch_all(here)
    before = len(bulk_calls(here))
    outcomes = [here.run(MAINTENANCE) for _ in range(2)]
    assert [said(outcome) for outcome in outcomes] == [[], []]
    calls = bulk_calls(here)[before:]
    assert [call.run_id for call in calls] == [outcome.run_id for outcome in outcomes]
    completed = here.events(IngestionRunCompleted)[-1]
    assert (completed.task_name, completed.records_fetched) == (MAINTENANCE, len(ROWS))
    assert (completed.records_skipped, completed.findings) == (len(ROWS), ())


def test_what_differs_from_bulk_is_counted_and_the_command_mends_it(
    here: Ingestor, client: Client
) -> None:
    fetch_all(here)
    late = [congress_row(f"2024-03-0{n}", Representative="Lea Late", Ticker="IBM") for n in (2, 4)]
    late.append(congress_row("2024-03-15", Representative="Not yet"))
    client.control(disclose=[row.fields for row in late])
    client.control(amend={"match": {"ReportDate": "2024-03-06", **SENATE}, "set": {"Ticker": "MS"}})
    client.control(withdraw={"ReportDate": "2024-03-08", **SENATE})
    known = len(here.events(DisclosureRecorded))
    code, out, err = here.once(MAINTENANCE)
    assert code == 0, err
    assert len(here.events(DisclosureRecorded)) == known
    (told, *lines) = out.splitlines()
    findings = here.events(IngestionRunCompleted)[-1].findings
    assert "completed" in told
    assert lines == [f"{found.code} {found.subject}: {found.message}" for found in findings]
    assert [found.code for found in findings] == [
        "missing_records",
        "changed_records",
        "vanished_records",
    ]
    missing = facts(findings, "missing_records")
    assert missing["count"] == 2
    assert missing["days"] == {"2024-03-02": 1, "2024-03-04": 1}
    assert missing["examples"][0] == {"person": "Lea Late", "ticker": "IBM", "day": "2024-03-02"}
    assert facts(findings, "changed_records")["count"] == 1
    assert facts(findings, "changed_records")["examples"][0]["changed_fields"] == ["Ticker"]
    assert facts(findings, "vanished_records")["days"] == {"2024-03-08": 1}

    assert here.run(MAINTENANCE).findings == findings
    counts = obey(here, missing["command"]).counts
    assert counts is not None
    assert (counts.created, counts.updated) == (2, 0)
    counts = obey(here, facts(findings, "changed_records")["command"]).counts
    assert counts is not None
    assert (counts.created, counts.updated) == (0, 1)
    assert said(here.run(MAINTENANCE)) == [("vanished_records", "quiverquant_congress")]


def test_a_chamber_gone_silent_is_told_and_the_other_not(log: SharedSettings) -> None:
    rows = [row for row in ROWS if row.fields["House"] != "Senate" or row.reported_on.day < 6]
    world = SmallWorld(rows, [], [committee_snapshot("2024-01-01")])
    schedule = (ScheduleEntry(task=CONGRESS, at="07:00"),)
    own = {"schedule": schedule, "silent_senate_sessions": 6, "silent_house_sessions": 1}
    with quiver(world, NOW) as client, ingestor(log, client, **own, compare_days=0) as here:
        fetch(here)
        asked = len(bulk_calls(here))
        # The fifth to the fourteenth: seven sessions after it. No other source is expected here.
        (found,) = here.run(MAINTENANCE).findings
        assert (found.code, found.subject) == ("chamber_silent", "Senate")
        assert json.loads(found.details) == {
            "newest": "2024-03-05",
            "reach": "2024-03-14",
            "sessions": 7,
            "sessions_max": 6,
        }
        assert len(bulk_calls(here)) == asked
        # After a run on Monday, none came on Tuesday, and on Wednesday nobody has asked for two sessions.
        client.control(now="2024-03-18T12:00:00Z")
        assert here.run(CONGRESS).error is None
        client.control(now="2024-03-20T12:00:00Z")
        assert said(here.run(MAINTENANCE)) == [
            ("no_completed_run", CONGRESS),
            ("chamber_silent", "Senate"),
        ]


def test_a_silent_source_and_tasks_that_never_ran_are_told(here: Ingestor, client: Client) -> None:
    fetch(here)
    assert said(here.run(MAINTENANCE)) == [
        ("no_completed_run", SEATS),
        ("no_completed_run", INSIDER),
    ]
    client.control(now="2024-03-25T12:00:00Z")
    fetch(here, date(2024, 3, 15), date(2024, 3, 24))
    assert [code for code in said(here.run(MAINTENANCE)) if code[0] != "no_completed_run"] == [
        ("chamber_silent", "Representatives"),
        ("source_silent", "quiverquant_congress"),
    ]


def test_a_day_that_no_run_asked_for_is_told_and_the_command_mends_it(here: Ingestor) -> None:
    fetch(here, FIRST, date(2024, 3, 5))
    fetch(here, date(2024, 3, 8), YESTERDAY)
    fetch_other = here.run(INSIDER, Window(YESTERDAY, YESTERDAY, is_explicit=True))
    assert fetch_other.error is here.run(SEATS).error is None
    outcome = here.run(MAINTENANCE)
    assert said(outcome) == [
        ("days_not_covered", CONGRESS),
        ("missing_records", "quiverquant_congress"),
    ]
    gaps = facts(outcome.findings, "days_not_covered")
    assert gaps["ranges"] == [{"from": "2024-03-06", "to": "2024-03-07"}]
    assert facts(outcome.findings, "missing_records")["count"] == 6
    assert obey(here, gaps["commands"][0]).error is None
    assert said(here.run(MAINTENANCE)) == []


def test_a_failing_vendor_fails_the_run_after_abandoned_ones_were_closed(
    here: Ingestor, client: Client
) -> None:
    fetch_all(here)
    here.once(CONGRESS, TRADETRAIL_INGESTOR_DIE_AT="fetched")
    client.arm("status", status=500, path="/beta/bulk/*")
    outcome = here.run(MAINTENANCE)
    assert outcome.error is not None
    assert outcome.error.startswith("vendor_error")
    failed = [(run.task_name, run.error_code) for run in here.events(IngestionRunFailed)]
    assert failed == [(CONGRESS, "abandoned"), (MAINTENANCE, "vendor_error")]
    assert here.run(MAINTENANCE).findings == ()


class Held:
    """The vendor, whose congressional data are waited for until they are let go."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.is_asked, self.may_go = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def congress(self, *arguments: Any) -> Any:
        self.is_asked.set()
        assert self.may_go.wait(DEADLINE_S)
        return self._source.congress(*arguments)


@pytest.mark.parametrize(
    ("wait_s", "free_in_s", "codes"), [(0.5, DEADLINE_S, ["not_compared"]), (DEADLINE_S, 0.5, [])]
)
def test_a_congress_run_under_way_gives_no_false_finding(
    here: Ingestor, client: Client, wait_s: float, free_in_s: float, codes: list[str]
) -> None:
    fetch_all(here)
    held = Held(here.parts.quiver)
    here._parts = replace(here.parts, quiver=held)  # type: ignore[arg-type]
    client.control(disclose=[congress_row("2024-03-14", Representative="Lea Late").fields])
    fetching = threading.Thread(target=here.run)
    freeing = threading.Timer(free_in_s, held.may_go.set)
    fetching.start()
    try:
        assert held.is_asked.wait(DEADLINE_S)
        freeing.start()
        with ingestor(here.log, client, lock_wait_s=wait_s) as other:
            assert [code for code, _ in said(other.run(MAINTENANCE))] == codes
    finally:
        freeing.cancel()
        held.may_go.set()
        fetching.join(DEADLINE_S)
    assert here.events(IngestionRunFailed) == []
    assert said(here.run(MAINTENANCE)) == []


def test_the_health_page_tells_how_much_was_found(here: Ingestor, client: Client) -> None:
    own = {"schedule": (ScheduleEntry(task=MAINTENANCE, at="08:00"),)}
    fetch(here)
    client.control(withdraw={"ReportDate": "2024-03-08"})
    with ingestor(here.log, client, **own) as other:
        schedule, stop = Schedule(other.parts), threading.Event()
        assert schedule.health()[1]["findings"] is None
        serving = threading.Thread(target=schedule.run, args=(stop,))
        serving.start()
        try:
            eventually(lambda: schedule.health()[1]["findings"] == 1)
        finally:
            stop.set()
            serving.join(60)
