"""Runs on a real log: whole, once, in order, and each call on record."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from services.ingestor.parts import request_of
from services.ingestor.recording.lock import AlreadyRunning, SourceLock
from services.ingestor.runs.run import Runner
from services.ingestor.service import Schedule
from services.ingestor.sources.quiver import Window
from simulators.world import Asset
from tests.contract.quiver_server import (
    TOKEN,
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    insider_row,
    quiver,
)
from tests.eventually import eventually
from tests.integration.ingestor_harness import (
    CONGRESS,
    INSIDER,
    MAINTENANCE,
    SEATS,
    SECTORS,
    Ingestor,
    ingestor,
)
from tradetrail.errors import UsageError
from tradetrail.events.generated import (
    ApiCallRecorded,
    CommitteeMembershipRecorded,
    DisclosureRecorded,
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
    RecordChange,
    RecordKept,
    RunTrigger,
    SeatChange,
    SectorRecorded,
    SymbolDataReady,
)
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

ROWS = [
    congress_row("2024-03-05"),
    congress_row("2024-03-05"),
    congress_row("2024-03-05", Ticker="BRK-B", Description="Berkshire"),
    congress_row("2024-03-06", Ticker="--", Description="A bond", TickerType="GS"),
    congress_row("2024-03-06", Ticker="ZZZ", BioGuideID="S000001", House="Senate", District=None),
    congress_row("2024-02-01", Ticker="OLD", Description="before the window"),
]
INSIDERS = [insider_row("2024-03-06T21:44:37.000"), insider_row("2024-03-05T08:00:00.000")]


@pytest.fixture
def client() -> Iterator[Client]:
    world = SmallWorld(list(ROWS), list(INSIDERS), [committee_snapshot("2024-01-01")])
    with quiver(world, "2024-03-08T12:00:00Z") as running:
        yield running


@pytest.fixture
def here(log: SharedSettings, client: Client) -> Iterator[Ingestor]:
    with ingestor(log, client) as made:
        yield made


def test_a_run_delivers_every_record_and_ends_each_symbol_with_its_summary(here: Ingestor) -> None:
    outcome = here.run()
    assert outcome.error is None
    topics = Topics.of(here.log)
    messages = here.messages()
    (completed,) = here.events(IngestionRunCompleted)
    assert (completed.records_fetched, completed.records_created) == (5, 5)
    assert completed.records_skipped == completed.records_updated == 0
    assert completed.flags == {
        "duplicate_lot": 1,
        "late_filing": 5,
        "not_a_stock": 1,
        "ticker_normalised": 1,
        "unknown_ticker": 1,
    }
    by_symbol: dict[str, list[object]] = {}
    for message, event in messages:
        if event.symbol is not None and message.topic in topics.trade():
            assert message.topic == topics.for_symbol(event.symbol)
            assert message.key == event.symbol.encode()
            by_symbol.setdefault(event.symbol, []).append(event)
    assert sorted(by_symbol) == ["AAPL", "BRK.B", "ZZZ"]
    for events in by_symbol.values():
        *records, ready = events
        assert isinstance(ready, SymbolDataReady)
        assert all(isinstance(record, DisclosureRecorded) for record in records)
        ids = [
            (r.record_id, r.version, r.event_id)
            for r in records
            if isinstance(r, DisclosureRecorded)
        ]
        assert [(r.record_id, r.version, r.event_id) for r in ready.records] == ids
        assert ready.records_fetched == 5
    loose = [e for m, e in messages if isinstance(e, DisclosureRecorded) and m.topic == topics.runs]
    assert [event.symbol for event in loose] == [None]
    assert len(here.events(RecordKept)) == 5


def test_the_second_run_creates_nothing(here: Ingestor) -> None:
    here.run()
    here.run()
    first, second = here.events(IngestionRunCompleted)
    assert first.run_id != second.run_id
    assert (second.records_created, second.records_updated, second.records_skipped) == (0, 0, 5)
    assert len(here.events(DisclosureRecorded)) == 5
    assert len(here.events(SymbolDataReady)) == 3


def test_a_new_process_knows_what_the_one_before_delivered(here: Ingestor, client: Client) -> None:
    here.run()
    with ingestor(here.log, client) as other:
        outcome = other.run()
    assert outcome.counts is not None
    assert (outcome.counts.created, outcome.counts.skipped) == (0, 5)


def test_a_changed_row_is_version_two_of_the_same_record(here: Ingestor, client: Client) -> None:
    here.run()
    client.control(amend={"match": {"Ticker": "ZZZ"}, "set": {"Range": "$15,001 - $50,000"}})
    client.control(now="2024-03-09T12:00:00Z")
    here.run()
    first, second = [e for e in here.events(DisclosureRecorded) if e.symbol == "ZZZ"]
    assert (first.version, second.version) == (1, 2)
    assert first.record_id == second.record_id
    assert second.change is RecordChange.UPDATED
    assert second.changed_fields == ("Range",)
    assert second.amount_usd_min == Decimal(15_001)
    assert second.amount_usd_max == Decimal(50_000)
    assert len([e for e in here.events(SymbolDataReady) if e.symbol == "ZZZ"]) == 2


def test_each_call_is_on_record_byte_for_byte_and_names_no_key(here: Ingestor) -> None:
    here.run()
    (call,) = here.events(ApiCallRecorded)
    assert (call.status_code, call.records_returned) == (200, 6)
    body = gzip.decompress(call.body or b"")
    assert hashlib.sha256(body).hexdigest() == call.body_sha256
    rows = json.loads(body)
    record = here.events(DisclosureRecorded)[0]
    assert json.loads(record.source_fields) == rows[record.row_number]
    assert record.api_call_id == call.call_id
    for message, _ in here.messages():
        assert TOKEN.encode() not in (message.value or b"")
    assert TOKEN not in call.request


def test_causes_lead_from_record_to_call_to_run(here: Ingestor) -> None:
    here.run()
    (started,), (call,) = here.events(IngestionRunStarted), here.events(ApiCallRecorded)
    assert call.cause is not None
    assert call.cause.event_id == started.event_id
    places = {(m.topic, m.partition, m.offset): e.event_id for m, e in here.messages()}
    for record in here.events(DisclosureRecorded):
        cause = record.cause
        assert cause is not None
        assert cause.event_id == call.event_id
        assert places[(cause.topic, cause.partition, cause.offset)] == call.event_id


def test_a_window_asked_for_by_hand_reads_the_bulk_endpoint(here: Ingestor) -> None:
    here.run(window=Window(date(2024, 1, 1), date(2024, 2, 28), is_explicit=True))
    (completed,) = here.events(IngestionRunCompleted)
    assert completed.records_created == 1
    assert [e.endpoint for e in here.events(ApiCallRecorded)] == ["/beta/bulk/congresstrading"]


def test_a_chamber_cut_off_within_the_window_is_filled_from_bulk(
    log: SharedSettings, client: Client
) -> None:
    rows = [
        congress_row(f"2024-03-0{day}", Description=f"{day}-{n}").fields
        for day in range(3, 8)
        for n in range(150)
    ]
    client.control(disclose=rows)
    with ingestor(log, client, bulk_page_size=200) as here:
        outcome = here.run()
        endpoints = [e.endpoint for e in here.events(ApiCallRecorded)]
    assert outcome.counts is not None
    assert outcome.counts.created == 755
    assert endpoints[0] == "/beta/live/congresstrading"
    assert set(endpoints[1:]) == {"/beta/bulk/congresstrading"}


def test_insiders_are_asked_day_by_day(here: Ingestor) -> None:
    outcome = here.run(INSIDER)
    assert outcome.counts is not None
    assert (outcome.counts.fetched, outcome.counts.created) == (2, 2)
    assert here.run(INSIDER).counts is not None
    assert len(here.events(DisclosureRecorded)) == 2
    assert len(here.events(ApiCallRecorded)) == 16


def test_committee_seats_are_told_once_and_then_only_as_they_change(
    log: SharedSettings, client: Client
) -> None:
    with ingestor(log, client) as here:
        here.run(SEATS)
        here.run(SEATS)
        seats = here.events(CommitteeMembershipRecorded)
        assert [(s.committee_id, s.role, s.change) for s in seats] == [
            ("HSAG", "Chair", SeatChange.CREATED),
            ("HSAG15", "Chair", SeatChange.CREATED),
        ]
        assert {
            m.key for m, e in here.messages() if isinstance(e, CommitteeMembershipRecorded)
        } == {b"E990001"}


def test_sectors_are_told_once_and_then_only_as_they_change(log: SharedSettings) -> None:
    world = SmallWorld(
        assets={
            "AAPL": Asset("AAPL", "Apple Inc.", "Information Technology", "Computers"),
            "BRK-B": Asset("BRK-B", "Berkshire", "Financials"),
            "OLD": Asset("OLD", "Old Corp.", None),
        }
    )
    with quiver(world, "2024-03-08T12:00:00Z") as client, ingestor(log, client) as here:
        here.run(SECTORS)
        again = here.run(SECTORS)
        world.assets["AAPL"] = Asset("AAPL", "Apple Inc.", "Consumer Discretionary")
        here.run(SECTORS)
        for fault, code in (
            ({"kind": "html"}, "not_csv"),
            ({"kind": "empty"}, "empty_answer"),
            ({"kind": "truncate"}, "answer_cut_off"),
            ({"kind": "status", "status": 500}, "vendor_error"),
        ):
            client.arm(**fault, path="/sectors.csv")
            assert (here.run(SECTORS).error or "").startswith(code)
        sectors = here.events(SectorRecorded)
        keys = [m.key for m, e in here.messages() if isinstance(e, SectorRecorded)]
        runs = here.events(IngestionRunCompleted)
        calls = here.events(ApiCallRecorded)
        failed = here.events(IngestionRunFailed)
    assert [(s.symbol, s.sector, s.industry) for s in sectors] == [
        ("AAPL", "Information Technology", "Computers"),
        ("BRK.B", "Financials", None),
        ("AAPL", "Consumer Discretionary", None),
    ]
    assert keys == [b"AAPL", b"BRK.B", b"AAPL"]
    assert {s.valid_from for s in sectors} == {date(2024, 3, 8)}
    assert again.counts is not None
    assert (again.counts.fetched, again.counts.skipped) == (3, 3)
    assert [(r.records_created, r.records_updated) for r in runs] == [(2, 0), (0, 0), (0, 1)]
    assert runs[0].flags == {"no_sector": 1, "ticker_normalised": 1}
    assert {(c.vendor, c.endpoint) for c in calls} == {("sectors", "/sectors.csv")}
    assert json.loads(calls[0].request)["headers"]["Accept"] == "text/csv"
    assert sectors[0].api_call_id == calls[0].call_id
    assert len(failed) == 4


def test_without_an_address_sectors_are_not_scheduled_and_a_command_is_refused(
    here: Ingestor,
) -> None:
    parts = replace(here.parts, sectors=None)
    assert SECTORS in {entry.task for entry in Schedule(here.parts).entries}
    assert SECTORS not in {entry.task for entry in Schedule(parts).entries}
    with pytest.raises(UsageError, match="TRADETRAIL_SECTORS_URL"):
        Runner(parts).run(request_of(SECTORS, RunTrigger.COMMAND, "test", None))
    assert here.events(IngestionRunStarted) == []


def test_a_kill_at_the_first_byte_of_the_first_request_leaves_the_beginning_on_record(
    here: Ingestor, client: Client
) -> None:
    client.arm("stall", path="/beta/*", stall_s=2)
    with here.start("--once", CONGRESS) as process:
        eventually(lambda: any(fault["struck"] for fault in client.book()["faults"]))
        process.kill()
        process.communicate()
    assert len(here.events(IngestionRunStarted)) == 1
    assert here.events(ApiCallRecorded) == []


def test_a_second_run_of_a_source_is_told_that_one_is_running(
    here: Ingestor, client: Client
) -> None:
    parts = here.parts
    with SourceLock(parts.settings, parts.topics, "quiverquant_congress", 15):
        with ingestor(here.log, client, lock_wait_s=2.0) as other:
            with pytest.raises(AlreadyRunning, match="already running"):
                other.run()
            assert other.run(INSIDER).error is None
    assert len(here.events(IngestionRunStarted)) == 1


def test_maintenance_closes_what_a_crash_left_open_anywhere(here: Ingestor) -> None:
    here.once(CONGRESS, TRADETRAIL_INGESTOR_DIE_AT="fetched")
    assert here.run(MAINTENANCE).error is None
    (failed,) = here.events(IngestionRunFailed)
    assert (failed.task_name, failed.error_code) == (CONGRESS, "abandoned")


def test_the_command_line_says_how_a_run_ended(here: Ingestor, client: Client) -> None:
    code, _, err = here.once("data_fetch:nope")
    assert code == 2
    assert CONGRESS in err
    assert here.once(CONGRESS, "--from", "2024-03-05")[0] == 2
    client.arm("status", status=403, path="/beta/*")
    code, _, err = here.once(CONGRESS)
    assert code == 1
    assert "Upgrade your subscription plan" in err
    assert here.once(CONGRESS, TRADETRAIL_CLOCK_URL="http://127.0.0.1:9/control/clock")[0] == 3
