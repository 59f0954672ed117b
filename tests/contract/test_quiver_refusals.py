"""The simulated QuiverQuant refuses as the vendor does: code, body and headers."""

from __future__ import annotations

import pytest
import requests

from simulators.quiverquant.answers import Refusal
from simulators.quiverquant.rates import RateLimits
from tests.contract.quiver_server import (
    TIMEOUT_S,
    TOKEN,
    SmallWorld,
    committee_snapshot,
    congress_row,
    quiver,
)
from tradetrail.errors import UsageError

WORLD = SmallWorld([congress_row("2024-03-05")], committees=[committee_snapshot("2024-01-01")])
LIVE = "/beta/live/congresstrading"


@pytest.mark.parametrize("prefix", ["Bearer", "Token", "token"])
def test_both_documented_prefixes_open(prefix: str) -> None:
    with quiver(WORLD) as client:
        client.headers = {"Authorization": f"{prefix} {TOKEN}"}
        assert client.get(LIVE).status_code == 200


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        (f"Basic {TOKEN}", "Authentication credentials were not provided."),
        (TOKEN, "Authentication credentials were not provided."),
        ("Bearer ", "Authentication credentials were not provided."),
        ("Bearer wrong", "Invalid token."),
        ("Token wrong", "Invalid token."),
    ],
)
def test_no_key_and_wrong_key_are_401(header: str | None, detail: str) -> None:
    with quiver(WORLD) as client:
        client.headers = {} if header is None else {"Authorization": header}
        answer = client.get(LIVE)
        assert (answer.status_code, answer.json()) == (401, {"detail": detail})


def test_the_hobbyist_plan_lacks_insiders_only() -> None:
    with quiver(WORLD, plan="hobbyist") as client:
        answer = client.get("/beta/live/insiders")
        detail = "Upgrade your subscription plan to access this dataset."
        assert (answer.status_code, answer.json()) == (403, {"detail": detail})
        assert client.get(LIVE).status_code == 200


@pytest.mark.parametrize("path", ["/beta/live/nothing", "/", "/beta/live/congresstrading/"])
def test_an_unknown_path_is_a_page_not_json(path: str) -> None:
    with quiver(WORLD) as client:
        client.headers = {}
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"date": "yesterday"}, 400),
        ({"page": "0"}, 404),
        ({"page": "x"}, 404),
        ({"version": "V9"}, 400),
    ],
)
def test_nonsense_in_a_known_parameter_is_refused(wanted: dict[str, str], status: int) -> None:
    with quiver(WORLD) as client:
        answer = client.get("/beta/bulk/congresstrading", **wanted)
        assert answer.status_code == status
        assert list(answer.json()) == ["detail"]


def test_only_get_is_known() -> None:
    with quiver(WORLD) as client:
        answer = requests.post(client.base + LIVE, headers=client.headers, timeout=TIMEOUT_S)
        assert (answer.status_code, answer.json()) == (
            405,
            {"detail": 'Method "POST" not allowed.'},
        )


def test_the_sixth_bulk_request_of_an_hour_waits() -> None:
    with quiver(WORLD, limits=True) as client:
        for _ in range(5):
            assert client.get("/beta/bulk/congresstrading").status_code == 200
        answer = client.get("/beta/bulk/congresstrading")
        assert answer.status_code == 429
        wait_s = int(answer.headers["Retry-After"])
        assert 3500 < wait_s <= 3600
        detail = f"Request was throttled. Expected available in {wait_s} seconds."
        assert answer.json() == {"detail": detail}
        assert client.get("/beta/bulk/congress/politicians").status_code == 429
        assert client.get(LIVE).status_code == 200
        assert not [name for name in answer.headers if name.lower().startswith("x-ratelimit")]


def test_a_class_frees_itself_when_its_window_has_passed() -> None:
    now_s = [0.0]
    limits = RateLimits(is_on=True, classes=(("/beta/x", "10/minute"),), clock=lambda: now_s[0])
    for _ in range(10):
        limits.take("/beta/x")
        now_s[0] += 1
    with pytest.raises(Refusal) as refused:
        limits.take("/beta/x")
    assert refused.value.headers == {"Retry-After": "50"}
    now_s[0] = 60.0
    limits.take("/beta/x")


def test_an_unknown_rate_class_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="the rate classes are"):
        RateLimits(is_on=True, classes=(("/beta/x", "7/day"),))
