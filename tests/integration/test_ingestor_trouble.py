"""Whatever the vendor does, a run ends clearly: failed with its reason, or with flagged rows; never half delivered."""

from __future__ import annotations

import base64
import gzip
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from services.ingestor.rows.normalise import LOOK_AHEAD
from services.ingestor.settings import QuiverSettings
from services.ingestor.sources.quiver import QuiverSource, quiver_vendor
from tests.contract.quiver_server import (
    TOKEN,
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    insider_row,
    quiver,
)
from tests.integration.ingestor_harness import CONGRESS, INSIDER, SEATS, Ingestor, ingestor
from tests.integration.slow_proxy import SlowProxy
from tradetrail.calls import joined_body
from tradetrail.events.generated import (
    ApiCallRecorded,
    DisclosureRecorded,
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
    RecordKept,
    SymbolDataReady,
)
from tradetrail.log.codec import Codec
from tradetrail.log.provision import provision
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

LIVE = "/beta/live/congresstrading"
ROWS = [congress_row("2024-03-05", Description=str(number)) for number in range(6)]
INSIDERS = [insider_row("2024-03-06T21:44:37.000", Shares=float(n + 1)) for n in range(6)]
# For a vendor that stops talking, and for one that never ends; all others get the time that a busy machine needs.
STALLING, TRICKLING = {"read_timeout_s": 1.0}, {"answer_timeout_s": 2.0}
# What a run may cost with a vendor that never ends: its limits, and a very busy machine.
RUN_S_MAX = 60.0


def small_world() -> SmallWorld:
    return SmallWorld(list(ROWS), list(INSIDERS), [committee_snapshot("2024-01-01")])


@pytest.fixture
def client() -> Iterator[Client]:
    with quiver(small_world(), "2024-03-08T12:00:00Z") as running:
        yield running


@pytest.fixture
def here(log: SharedSettings, client: Client) -> Iterator[Ingestor]:
    with ingestor(log, client) as made:
        yield made


@pytest.fixture(scope="module")
def troubled(stack: Any) -> Iterator[Ingestor]:
    """Return an ingestor whose every run of this module fails: on its log nothing may ever be delivered."""
    addresses = stack.addresses
    log = SharedSettings(
        kafka=addresses.kafka,
        registry_url=addresses.registry_url,
        topic_prefix=f"t{uuid4().hex[:8]}.",
        instance="test",
    )
    provision(log, Codec(log.registry_url))
    with (
        quiver(small_world(), "2024-03-08T12:00:00Z") as client,
        ingestor(log, client, answer_bytes_max=1 << 20) as made,
    ):
        yield made


@contextmanager
def impatient(here: Ingestor, url: str, limits: dict[str, float]) -> Iterator[None]:
    """Ask for disclosures at ``url`` and under ``limits`` meanwhile."""
    sound = here.parts
    own = sound.own.model_copy(update=limits)
    vendor = quiver_vendor(own, QuiverSettings(url=url, token=TOKEN))
    here._parts = replace(sound, quiver=QuiverSource(vendor, own))
    try:
        yield
    finally:
        here._parts = sound


def answer(text: str = "", status: int = 200, **more: Any) -> dict[str, Any]:
    """Return the fault that answers with exactly this."""
    return {"kind": "answer", "status": status, "text": text, **more}


def in_bytes(body: bytes, **headers: str) -> dict[str, Any]:
    """Return the fault that answers 200 with exactly these bytes."""
    return answer(base64=base64.b64encode(body).decode(), headers=headers)


GZIP = {"Content-Encoding": "gzip"}
# Text that hardly compresses: the half that comes unpacks to a part of it.
HALF_GZIP = gzip.compress(json.dumps([random.Random(7).randbytes(50_000).hex()]).encode())[:40_000]
ROW = json.dumps(ROWS[0].fields)
TROUBLES: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "status", "status": 401}, "unauthorized", "Invalid token."),
    (
        {
            "kind": "status",
            "status": 401,
            "detail": "Authentication credentials were not provided.",
        },
        "unauthorized",
        "not provided",
    ),
    ({"kind": "status", "status": 403}, "forbidden", "Upgrade your subscription plan"),
    ({"kind": "status", "status": 403, "body": "string"}, "forbidden", "Upgrade your"),
    ({"kind": "status", "status": 403, "body": "list"}, "forbidden", "Upgrade your"),
    ({"kind": "status", "status": 404}, "not_found", "Not Found"),
    ({"kind": "status", "status": 429, "retry_after_s": 900}, "rate_limited", "900 seconds"),
    (answer('{"detail": "Slow down."}', 429), "rate_limited", "Slow down."),
    (
        {"kind": "status", "status": 429}
        | {"headers": {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}},
        "rate_limited",
        "throttled",
    ),
    (
        {"kind": "status", "status": 429, "headers": {"Retry-After": "soon"}},
        "rate_limited",
        "throttled",
    ),
    (
        {"kind": "status", "status": 429, "headers": {"Retry-After": "nan"}},
        "rate_limited",
        "throttled",
    ),
    ({"kind": "status", "status": 500}, "vendor_error", "A server error occurred."),
    ({"kind": "status", "status": 500, "body": "html"}, "vendor_error", "Server Error (500)"),
    ({"kind": "status", "status": 502}, "vendor_error", "Bad gateway."),
    ({"kind": "status", "status": 502, "body": "html"}, "vendor_error", "502"),
    ({"kind": "status", "status": 504}, "vendor_error", "Gateway timeout."),
    ({"kind": "status", "status": 504, "body": "html"}, "vendor_error", "504"),
    (answer("[" * 100_000, 500), "vendor_error", "[[["),
    ({"kind": "status", "status": 301, "body": "empty"}, "unexpected_status", "301"),
    (answer("", 302, headers={"Location": "http://localhost:9/"}), "redirected", "not sent"),
    (answer("", 302, headers={"Location": "http://[no"}), "redirected", "no address"),
    ({"kind": "truncate"}, "answer_cut_off", "cut off"),
    ({"kind": "truncate", "cut": True}, "answer_cut_off", "no whole answer"),
    ({"kind": "truncate", "cut": True, "chunked": True}, "answer_cut_off", "no whole answer"),
    ({"kind": "html"}, "not_json", "no JSON"),
    ({"kind": "empty"}, "empty_answer", "empty body"),
    (answer(" \n "), "empty_answer", "empty body"),
    ({"kind": "wrap"}, "unexpected_shape", "an object"),
    ({"kind": "status", "status": 200, "body": "list"}, "unexpected_shape", "detail"),
    ({"kind": "status", "status": 200, "body": "string"}, "unexpected_shape", "a text"),
    (answer("null"), "unexpected_shape", "null in place of a list"),
    (answer("true"), "unexpected_shape", "in place of a list"),
    (answer("7"), "unexpected_shape", "in place of a list"),
    (answer(f"[{ROW}, 7]"), "malformed_row", "row 1"),
    (answer(f"[{ROW}, null]"), "malformed_row", "row 1"),
    (answer(f"[{ROW}, [{ROW}]]"), "malformed_row", "row 1"),
    (answer('[{"Ticker": "AAPL", "Ticker": "MSFT"}]'), "malformed_row", "names a field twice"),
    (answer("[" * 100_000), "unexpected_shape", "nested deeper"),
    (answer('[{"Ticker": ' + "[" * 90 + "]" * 90 + "}]"), "unexpected_shape", "nested deeper"),
    (in_bytes(b'[{"Ticker": "\xff\xfe"}]'), "not_json", "broken"),
    (in_bytes(b"no gzip", **GZIP), "answer_cut_off", "no whole answer"),
    (in_bytes(HALF_GZIP, **GZIP), "answer_cut_off", "cut off"),
    (in_bytes(gzip.compress(bytes(64 << 20)), **GZIP), "answer_too_large", "reading was given up"),
    ({"kind": "stall", "stall_s": 20}, "vendor_timeout", "timed out"),
    ({"kind": "stall", "stall_s": 20, "when": "within"}, "vendor_timeout", "timed out"),
    ({"kind": "slow", "chunks": 100, "delay_s": 0.1}, "vendor_timeout", "not complete"),
]


@pytest.mark.parametrize(("fault", "code", "said"), TROUBLES, ids=range(len(TROUBLES)))
def test_trouble_is_a_failed_run_that_says_why(
    troubled: Ingestor, fault: dict[str, Any], code: str, said: str
) -> None:
    troubled.client.control(clear_faults=True)
    troubled.client.arm(**{"path": LIVE, **fault})
    limits = {"stall": STALLING, "slow": TRICKLING}.get(fault.get("kind", ""), {})
    with impatient(troubled, troubled.client.base, limits):
        _check_failed(troubled, code, said)


@pytest.mark.parametrize("is_trickling", [False, True], ids=["stalls", "trickles"])
@pytest.mark.parametrize("after_bytes", [0, 9, 40, 300], ids=lambda n: f"after_{n}_bytes")
def test_a_vendor_that_never_ends_is_a_failed_run_within_the_limits(
    troubled: Ingestor, after_bytes: int, is_trickling: bool
) -> None:
    there = urlsplit(troubled.client.base)
    with SlowProxy(
        there.hostname or "", there.port or 0, after_bytes, trickle=is_trickling
    ) as proxy:
        started = time.monotonic()
        with impatient(troubled, proxy.url, TRICKLING if is_trickling else STALLING):
            _check_failed(troubled, "vendor_timeout", "")
        assert time.monotonic() - started < RUN_S_MAX


def _check_failed(here: Ingestor, code: str, said: str) -> None:
    """Run once; the run must fail with this code and words, its one call on record, nothing delivered."""
    outcome = here.run()
    assert outcome.error is not None
    told = [event for _, event in here.messages()]
    failed = [e for e in told if isinstance(e, IngestionRunFailed) and e.run_id == outcome.run_id]
    calls = [e for e in told if isinstance(e, ApiCallRecorded) and e.run_id == outcome.run_id]
    assert [each.error_code for each in failed] == [code], outcome.error
    assert said in failed[0].error_message
    assert json.loads(failed[0].error_details or "")["call_id"] == calls[-1].call_id
    assert len({call.call_id for call in calls}) == 1
    assert joined_body(calls) is not None or calls[0].error
    begun = [e for e in told if isinstance(e, IngestionRunStarted)]
    assert len([e for e in begun if e.run_id == outcome.run_id]) == 1
    nothing = (DisclosureRecorded, SymbolDataReady, RecordKept, IngestionRunCompleted)
    assert not [e for e in told if isinstance(e, nothing)]


def test_after_trouble_the_next_run_that_is_asked_for_delivers_everything(
    here: Ingestor, client: Client
) -> None:
    client.arm("truncate", path=LIVE)
    assert here.run().counts is None
    again = here.run()
    assert again.counts is not None
    assert again.counts.created == 6
    # No retry by itself: one run, one call.
    assert len(here.events(IngestionRunStarted)) == len(here.events(ApiCallRecorded)) == 2


def test_a_redirect_to_the_same_server_is_followed_with_the_key(
    here: Ingestor, client: Client
) -> None:
    client.arm("answer", path=LIVE, status=301, headers={"Location": f"{LIVE}?page=1"})
    outcome = here.run()
    assert outcome.counts is not None, outcome.error
    assert outcome.counts.created == 6
    calls = here.events(ApiCallRecorded)
    assert [call.status_code for call in calls] == [301, 200]
    assert "redirected to" in (calls[0].error or "")
    assert json.loads(calls[1].request)["query"] == {"page": "1"}


def test_redirects_in_a_circle_end(here: Ingestor, client: Client) -> None:
    client.arm("answer", path=LIVE, count=None, status=302, headers={"Location": LIVE})
    assert (here.run().error or "").startswith("redirected")
    assert [call.status_code for call in here.events(ApiCallRecorded)] == [302] * 4


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


def test_a_date_to_wait_for_is_taken_against_the_vendors_clock(
    here: Ingestor, client: Client
) -> None:
    past = {"Retry-After": "Mon, 01 Jan 2024 00:00:00 GMT"}
    client.arm("status", status=429, headers=past, path=LIVE)
    assert here.run().error is None
    assert [call.status_code for call in here.events(ApiCallRecorded)] == [429, 200]


def test_an_empty_list_is_a_completed_run(log: SharedSettings) -> None:
    with quiver(SmallWorld(), "2024-03-08T12:00:00Z") as client, ingestor(log, client) as here:
        outcome = here.run()
        assert outcome.counts is not None
        assert outcome.counts.fetched == 0
        assert len(here.events(IngestionRunCompleted)) == 1


WRONG_TEXTS: list[Any] = [17, 1.5, True, ["x"], {"a": 1}]
WRONG_NUMBERS: list[Any] = ["ten", "10.5", True, [1], {"a": 1}]
WRONG_BOOLS: list[Any] = ["true", 1, 0.5, [], {}]


def test_a_wrong_type_in_any_field_of_a_congress_row_is_a_flagged_row(log: SharedSettings) -> None:
    plain = congress_row("2024-03-05")
    read = [name for name in plain.fields if name not in LOOK_AHEAD]
    wrong = [{name: value} for name in read for value in WRONG_TEXTS]
    absent = [{name: None} for name in read if plain.fields[name] is not None]
    rows = [replace(plain, fields=plain.fields | change) for change in wrong + absent]
    with (
        quiver(SmallWorld(rows), "2024-03-08T12:00:00Z") as client,
        ingestor(log, client) as here,
    ):
        _check_flagged(here, CONGRESS, wrong, absent)


def test_a_wrong_type_in_any_field_of_an_insider_row_is_a_flagged_row(log: SharedSettings) -> None:
    plain = insider_row("2024-03-06T21:44:37.000", officerTitle="CEO")
    wrong = []
    for name, value in plain.fields.items():
        if name not in LOOK_AHEAD:
            kinds = {str: WRONG_TEXTS, float: WRONG_NUMBERS, bool: WRONG_BOOLS}
            wrong += [{name: each} for each in kinds[type(value)]]
    absent = [{name: None} for name in plain.fields if name not in LOOK_AHEAD]
    rows = [replace(plain, fields=plain.fields | change) for change in wrong + absent]
    with (
        quiver(SmallWorld(insiders=rows), "2024-03-08T12:00:00Z") as client,
        ingestor(log, client) as here,
    ):
        _check_flagged(here, INSIDER, wrong, absent)


def _check_flagged(
    here: Ingestor, task: str, wrong: list[dict[str, Any]], absent: list[dict[str, Any]]
) -> None:
    """Run; each wrong row must be delivered and flagged, with what it said; one that lacks a field only delivered."""
    outcome = here.run(task)
    assert outcome.counts is not None, outcome.error
    assert outcome.counts.created == len(wrong) + len(absent)
    events = here.events(DisclosureRecorded)
    flagged = [json.loads(e.source_fields) for e in events if "wrong_type" in e.flags]
    assert len(flagged) == len(wrong)
    for change in wrong:
        ((name, value),) = change.items()
        assert any(row[name] == value and type(row[name]) is type(value) for row in flagged), change


def test_a_byte_order_mark_and_numbers_that_json_lacks_break_no_run(
    here: Ingestor, client: Client
) -> None:
    fields = insider_row("2024-03-06T21:44:37.000").fields
    shares = (float("nan"), float("inf"), "digits")
    rows = [fields | {"Shares": value} for value in shares] + [fields]
    text = json.dumps(rows).replace("Infinity", "1e999").replace('"digits"', "9" * 5000)
    body = text.encode("utf-8-sig")
    client.arm(path="/beta/live/insiders", **in_bytes(body))
    outcome = here.run(INSIDER)
    assert outcome.counts is not None, outcome.error
    flags = [e.flags for e in here.events(DisclosureRecorded)]
    assert len([f for f in flags if "wrong_type" in f]) == 3


@pytest.mark.parametrize("missing", [False, True])
def test_a_field_that_is_null_or_missing_is_no_trouble(
    here: Ingestor, client: Client, missing: bool
) -> None:
    client.arm("field", path=LIVE, row=2, field="Amount", value=None, missing=missing)
    outcome = here.run()
    assert outcome.counts is not None
    assert outcome.counts.created == 6


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
