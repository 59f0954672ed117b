"""Whatever the vendor does, a run ends clearly: failed with its reason, or with flagged rows; never half delivered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.quiver_server import (
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    insider_row,
    quiver,
)
from tests.integration.ingestor_harness import CONGRESS, INSIDER, SEATS, Ingestor, ingestor
from tradetrail.events.generated import (
    ApiCallRecorded,
    DisclosureRecorded,
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
    RecordKept,
    SymbolDataReady,
)
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

LIVE = "/beta/live/congresstrading"
ROWS = [congress_row("2024-03-05", Description=str(number)) for number in range(6)]
INSIDERS = [insider_row("2024-03-06T21:44:37.000", Shares=float(n + 1)) for n in range(6)]


@pytest.fixture
def client() -> Iterator[Client]:
    world = SmallWorld(list(ROWS), list(INSIDERS), [committee_snapshot("2024-01-01")])
    with quiver(world, "2024-03-08T12:00:00Z") as running:
        yield running


@pytest.fixture
def here(log: SharedSettings, client: Client) -> Iterator[Ingestor]:
    with ingestor(log, client, read_timeout_s=1.0, answer_timeout_s=2.0) as made:
        yield made


TROUBLES: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "status", "status": 401}, "unauthorized", "Invalid token."),
    ({"kind": "status", "status": 403}, "forbidden", "Upgrade your subscription plan"),
    ({"kind": "status", "status": 403, "body": "string"}, "forbidden", "Upgrade your"),
    ({"kind": "status", "status": 403, "body": "list"}, "forbidden", "Upgrade your"),
    ({"kind": "status", "status": 404}, "not_found", "Not Found"),
    ({"kind": "status", "status": 429, "retry_after_s": 900}, "rate_limited", "900 seconds"),
    ({"kind": "status", "status": 500}, "vendor_error", "A server error occurred."),
    ({"kind": "status", "status": 502, "body": "html"}, "vendor_error", "502"),
    ({"kind": "status", "status": 504}, "vendor_error", "Gateway timeout."),
    ({"kind": "status", "status": 301, "body": "empty"}, "unexpected_status", "301"),
    ({"kind": "truncate"}, "answer_cut_off", "cut off"),
    ({"kind": "truncate", "cut": True}, "answer_cut_off", "no whole answer"),
    ({"kind": "html"}, "not_json", "no JSON"),
    ({"kind": "empty"}, "empty_answer", "empty body"),
    ({"kind": "wrap"}, "unexpected_shape", "an object"),
    ({"kind": "status", "status": 200, "body": "list"}, "unexpected_shape", "detail"),
    ({"kind": "status", "status": 200, "body": "string"}, "unexpected_shape", "a text"),
    ({"kind": "stall", "stall_s": 20}, "vendor_timeout", "timed out"),
    ({"kind": "stall", "stall_s": 20, "when": "within"}, "vendor_timeout", "timed out"),
    ({"kind": "slow", "chunks": 100, "delay_s": 0.1}, "vendor_timeout", "not complete"),
]


@pytest.mark.parametrize(("fault", "code", "said"), TROUBLES)
def test_trouble_is_a_failed_run_that_says_why(
    here: Ingestor, client: Client, fault: dict[str, Any], code: str, said: str
) -> None:
    client.control(fault={"path": LIVE, **fault})
    outcome = here.run()
    assert outcome.error is not None
    (failed,), (call,) = here.events(IngestionRunFailed), here.events(ApiCallRecorded)
    assert failed.error_code == code
    assert said in failed.error_message
    assert json.loads(failed.error_details or "")["call_id"] == call.call_id
    assert len(here.events(IngestionRunStarted)) == 1
    for kind in (DisclosureRecorded, SymbolDataReady, RecordKept, IngestionRunCompleted):
        assert here.events(kind) == []
    # No retry by itself; the next run that somebody asks for delivers everything.
    again = here.run()
    assert again.counts is not None
    assert again.counts.created == 6


def test_a_vendor_that_is_not_there_is_a_failed_run(log: SharedSettings, client: Client) -> None:
    with ingestor(log, client) as here:
        _ = here.parts
        here.client = Client("http://127.0.0.1:9")
        code, _, err = here.once(CONGRESS, TRADETRAIL_CLOCK_URL=f"{client.base}/control/clock")
        assert code == 1
        assert "vendor_unreachable" in err
        (failed,), (call,) = here.events(IngestionRunFailed), here.events(ApiCallRecorded)
    assert (failed.error_code, call.status_code) == ("vendor_unreachable", None)
    assert call.error is not None


def test_a_short_rate_limit_is_waited_for(here: Ingestor, client: Client) -> None:
    client.arm("status", status=429, retry_after_s=1, path=LIVE)
    outcome = here.run()
    assert outcome.counts is not None
    assert outcome.counts.created == 6
    assert [call.status_code for call in here.events(ApiCallRecorded)] == [429, 200]


def test_an_empty_list_is_a_completed_run(log: SharedSettings) -> None:
    with quiver(SmallWorld(), "2024-03-08T12:00:00Z") as client, ingestor(log, client) as here:
        outcome = here.run()
        assert outcome.counts is not None
        assert outcome.counts.fetched == 0
        assert len(here.events(IngestionRunCompleted)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("Range", 15), ("Ticker", ["AAPL"]), ("ReportDate", {"unexpected": True}), ("Amount", None)],
)
def test_a_wrong_type_in_one_field_is_one_flagged_row(
    here: Ingestor, client: Client, field: str, value: Any
) -> None:
    client.arm("field", path=LIVE, row=2, field=field, value=value)
    outcome = here.run()
    assert outcome.counts is not None
    assert outcome.counts.created == 6
    wrong = [e for e in here.events(DisclosureRecorded) if "wrong_type" in e.flags]
    assert len(wrong) == (0 if value is None else 1)
    for event in wrong:
        assert json.loads(event.source_fields)[field] == value


def test_a_page_that_repeats_is_a_failed_run(log: SharedSettings, client: Client) -> None:
    client.arm("repeat_page", path="/beta/live/insiders")
    with ingestor(log, client, insider_page_size=2) as here:
        outcome = here.run(INSIDER)
        assert "page_repeats" in (outcome.error or "")
        assert here.events(DisclosureRecorded) == []
        assert here.run(INSIDER).error is None
        assert len(here.events(DisclosureRecorded)) == 6


@pytest.mark.parametrize("kind", ["wrap", "truncate", "html", "empty"])
def test_committee_data_of_another_shape_ends_no_seat(
    here: Ingestor, client: Client, kind: str
) -> None:
    client.arm(kind, path="*/committee-membership-current.json")
    assert here.run(SEATS).error is not None
    assert here.run(SEATS).error is None


def test_an_answer_larger_than_the_limit_is_given_up(log: SharedSettings, client: Client) -> None:
    with ingestor(log, client, answer_bytes_max=1024) as here:
        assert "answer_too_large" in (here.run().error or "")
