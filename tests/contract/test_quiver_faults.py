"""Every trouble the vendor is known for can be made to happen, so many times, and is counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.quiver_server import (
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    quiver,
)

LIVE = "/beta/live/congresstrading"
BULK = "/beta/bulk/congresstrading"
UPGRADE = "Upgrade your subscription plan to access this dataset."
ROWS = [congress_row("2024-03-05", Description=str(number)) for number in range(6)]


@pytest.fixture
def client() -> Iterator[Client]:
    with quiver(SmallWorld(ROWS, committees=[committee_snapshot("2024-01-01")])) as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ({"status": 401}, {"detail": "Invalid token."}),
        ({"status": 403}, {"detail": UPGRADE}),
        ({"status": 403, "body": "string"}, UPGRADE),
        ({"status": 403, "body": "list"}, [{"detail": UPGRADE}]),
        (
            {"status": 429, "retry_after_s": 7},
            {"detail": "Request was throttled. Expected available in 7 seconds."},
        ),
        ({"status": 500}, {"detail": "A server error occurred."}),
        ({"status": 502, "detail": "no upstream"}, {"detail": "no upstream"}),
    ],
)
def test_a_status_fault_with_a_json_body(client: Client, fault: dict[str, Any], body: Any) -> None:
    client.arm("status", **fault)
    answer = client.get(LIVE)
    assert (answer.status_code, answer.json()) == (fault["status"], body)
    assert answer.headers.get("Retry-After") == ("7" if fault["status"] == 429 else None)
    assert client.get(LIVE).status_code == 200


@pytest.mark.parametrize("fault", [{"status": 404}, {"status": 500, "body": "html"}])
def test_a_status_fault_with_a_page(client: Client, fault: dict[str, Any]) -> None:
    client.arm("status", **fault)
    answer = client.get(LIVE)
    assert answer.status_code == fault["status"]
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")


def test_a_status_fault_with_nothing(client: Client) -> None:
    client.arm("status", status=504, body="empty")
    answer = client.get(LIVE)
    assert (answer.status_code, answer.content) == (504, b"")


def test_a_redirect_loses_the_key_of_clients_that_follow_it_elsewhere(client: Client) -> None:
    elsewhere = client.base.replace("127.0.0.1", "localhost")
    client.arm("status", status=302, body="empty", headers={"Location": elsewhere + LIVE})
    assert client.get(LIVE).status_code == 401


def test_truncated_json_looks_whole(client: Client) -> None:
    whole = client.get(LIVE).content
    client.arm("truncate", fraction=0.5)
    answer = client.get(LIVE)
    assert answer.status_code == 200
    assert answer.content == whole[: len(whole) // 2]


def test_a_cut_connection_is_an_error(client: Client) -> None:
    client.arm("truncate", cut=True)
    with pytest.raises(requests.exceptions.RequestException):
        client.get(LIVE)
    assert client.get(LIVE).status_code == 200


def test_html_with_200(client: Client) -> None:
    client.arm("html")
    answer = client.get(LIVE)
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")


def test_an_empty_body_with_200(client: Client) -> None:
    client.arm("empty")
    answer = client.get(LIVE)
    assert (answer.status_code, answer.content) == (200, b"")


def test_rows_inside_an_object(client: Client) -> None:
    rows = client.rows(LIVE)
    client.arm("wrap")
    assert client.get(LIVE).json() == {"data": rows}


@pytest.mark.parametrize("value", [17, None, [], {"a": 1}, "not a date"])
def test_one_field_of_one_row_has_another_type(client: Client, value: Any) -> None:
    rows = client.rows(LIVE)
    client.arm("field", field="ReportDate", row=2, value=value)
    spoilt = client.rows(LIVE)
    assert spoilt[2].pop("ReportDate") == value
    del rows[2]["ReportDate"]
    assert spoilt == rows


def test_one_field_of_one_row_is_missing(client: Client) -> None:
    client.arm("field", field="Ticker", row=1, missing=True)
    assert ["Ticker" in row for row in client.rows(LIVE)] == [True, False, True, True, True, True]


def test_a_stalled_socket_outlasts_the_clients_timeout(client: Client) -> None:
    client.arm("stall", stall_s=1.0)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(client.base + LIVE, headers=client.headers, timeout=(1, 0.2))


def test_a_body_that_stalls_in_the_middle(client: Client) -> None:
    client.arm("stall", stall_s=1.0, when="within")
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(client.base + LIVE, headers=client.headers, timeout=(1, 0.2))


def test_a_slow_body_arrives_whole(client: Client) -> None:
    whole = client.rows(LIVE)
    client.arm("slow", chunks=4, delay_s=0.05)
    started_s = time.monotonic()
    assert client.rows(LIVE) == whole
    assert time.monotonic() - started_s >= 0.15


def test_a_page_that_repeats(client: Client) -> None:
    first = client.rows(BULK, page=1, page_size=2)
    client.arm("repeat_page")
    assert client.rows(BULK, page=1, page_size=2) == first
    assert client.rows(BULK, page=2, page_size=2) == first
    assert client.rows(BULK, page=2, page_size=2) != first


def test_a_fault_strikes_its_path_after_some_and_so_often(client: Client) -> None:
    client.arm("status", status=500, path="/beta/live/*", skip=1, count=2)
    assert client.get(BULK).status_code == 200
    assert [client.get(LIVE).status_code for _ in range(4)] == [200, 500, 500, 200]
    told = client.book()["faults"][0]
    assert (told["met"], told["struck"], told["is_spent"]) == (3, 2, True)


def test_a_fault_without_end_is_cleared(client: Client) -> None:
    client.arm("status", status=500, count=None)
    assert [client.get(LIVE).status_code for _ in range(3)] == [500] * 3
    assert client.get("/congress-legislators/committees-current.json").status_code == 500
    client.control(clear_faults=True)
    assert client.get(LIVE).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "unheard"},
        {"kind": "status"},
        {"kind": "stall", "stall_s": -1},
        {"kind": "html", "x": 1},
    ],
)
def test_a_fault_nobody_knows_is_422(client: Client, fault: dict[str, Any]) -> None:
    assert client.control(fault=fault).status_code == 422
    assert client.book()["faults"] == []


def test_exactly_these_bytes_and_headers_with_the_requests_own_key(client: Client) -> None:
    client.arm("answer", status=418, text="you are {authorization}", headers={"X-A": "b"})
    answer = client.get(LIVE)
    assert (answer.status_code, answer.headers["X-A"]) == (418, "b")
    assert answer.text == f"you are {client.headers['Authorization']}"
    client.arm("answer", base64="//4=", headers={"Content-Type": "text/plain"})
    answer = client.get(LIVE)
    assert (answer.status_code, answer.content) == (200, b"\xff\xfe")
    assert answer.headers["Content-Type"] == "text/plain"
    assert client.control(fault={"kind": "answer", "base64": "no?"}).status_code == 422


def test_a_redirect_names_where_to_ask_and_answers_there(client: Client) -> None:
    client.arm("answer", path=LIVE, status=302, headers={"Location": BULK})
    answer = client.get(LIVE)
    assert [each.status_code for each in answer.history] == [302]
    assert answer.json() == client.rows(BULK)


def test_a_cut_connection_without_a_length_is_an_error(client: Client) -> None:
    client.arm("truncate", cut=True, chunked=True)
    with pytest.raises(requests.exceptions.RequestException):
        client.get(LIVE)
    client.arm("truncate", chunked=True)
    answer = client.get(LIVE)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert not answer.text.endswith("]")


def test_a_retry_after_of_our_choice_replaces_the_vendors(client: Client) -> None:
    when = "Fri, 31 Dec 2100 23:59:59 GMT"
    client.arm("status", status=429, headers={"Retry-After": when})
    assert client.get(LIVE).headers["Retry-After"] == when
