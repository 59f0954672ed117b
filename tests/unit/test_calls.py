"""Vendor calls as events: nothing lost, nothing secret kept."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from tradetrail.calls import CHUNK_BYTES_MAX, call_events, joined_body
from tradetrail.events.generated import ApiCallRecorded, BodyEncoding, CallPurpose
from tradetrail.log.configuration import Stamp

NOW = datetime(2020, 1, 2, 14, 31, tzinfo=UTC)


def _events(body: bytes | None, **changes: Any) -> list[ApiCallRecorded]:
    values: dict[str, Any] = {
        "call_id": "c-1",
        "purpose": CallPurpose.ORDER_SUBMIT,
        "vendor": "alpaca",
        "method": "post",
        "endpoint": "/v2/orders?x=1",
        "request": {
            "headers": {"APCA-API-KEY-ID": "canary-key", "Accept": "*/*"},
            "query": {"token": "canary-token", "page": 2},
            "body": '{"qty":"1"}',
        },
        "status_code": 200,
        "error": None,
        "body": body,
        "records_returned": None,
        "rate_limit_remaining": 199,
        "duration_us": 1200,
        "vendor_request_id": "r-1",
        "decision_id": "d-1",
        **changes,
    }
    return call_events(Stamp("executor", "test"), NOW, **values)


@pytest.mark.parametrize("size_bytes", [0, 1, 127, 128, 5_000])
def test_a_small_body_is_one_chunk_and_comes_back(size_bytes: int) -> None:
    body = random.Random(size_bytes).randbytes(size_bytes)
    (event,) = _events(body)
    assert event.chunk_count == 1
    assert event.response_size_bytes == size_bytes
    assert joined_body([event]) == body


def test_a_large_body_is_cut_and_comes_back_in_any_order() -> None:
    body = random.Random(7).randbytes(2 * CHUNK_BYTES_MAX + 17)
    events = _events(body)
    assert [event.chunk_index for event in events] == [0, 1, 2]
    assert all(len(event.body or b"") <= CHUNK_BYTES_MAX for event in events)
    assert len({event.event_id for event in events}) == 3
    assert joined_body(events[::-1]) == body


def test_a_missing_chunk_is_noticed() -> None:
    events = _events(random.Random(7).randbytes(2 * CHUNK_BYTES_MAX))
    with pytest.raises(ValueError, match="chunks"):
        joined_body(events[:1])


def test_no_answer_is_told_apart_from_an_empty_one() -> None:
    (nothing,) = _events(None, status_code=None, error="timed out")
    (empty,) = _events(b"")
    assert joined_body([nothing]) is None
    assert nothing.body_sha256 is None
    assert joined_body([empty]) == b""
    assert empty.body_encoding is BodyEncoding.IDENTITY


def test_secrets_and_query_never_reach_the_event() -> None:
    (event,) = _events(b"{}")
    assert "canary" not in event.request
    assert event.endpoint == "/v2/orders"
    assert event.method == "POST"
    assert event.request_size_bytes == len('{"qty":"1"}')
    assert event.story_id == "d-1"


def test_the_same_call_makes_the_same_events() -> None:
    body = b"x" * 10_000
    assert _events(body) == _events(body)
