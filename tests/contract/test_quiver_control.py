"""The control endpoint moves the clock, changes the vendor's records and tells all that was served."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.contract.quiver_server import (
    TIMEOUT_S,
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    quiver,
)

LIVE = "/beta/live/congresstrading"
# A start on a busy machine; by itself it takes two seconds.
START_TIMEOUT_S = 180


@pytest.fixture
def client() -> Iterator[Client]:
    world = SmallWorld(
        [congress_row("2024-03-04"), congress_row("2024-03-05", Ticker="MSFT")],
        committees=[committee_snapshot("2024-01-01")],
    )
    with quiver(world, "2024-03-20T11:00:00Z") as running:
        yield running


def clock(client: Client) -> str:
    return str(requests.get(client.base + "/control/clock", timeout=TIMEOUT_S).json()["now"])


def test_the_clock_moves_forward_only(client: Client) -> None:
    assert clock(client) == "2024-03-20T11:00:00+00:00"
    assert client.control(now="2024-03-21T07:00:00-04:00").json()["now"] == clock(client)
    assert clock(client) == "2024-03-21T11:00:00+00:00"
    assert client.control(now="2024-03-21T11:00:00Z").status_code == 200
    assert client.control(now="2024-03-20T11:00:00Z").status_code == 409
    assert client.control(now="2024-03-22T11:00:00").status_code == 422
    assert client.control(nonsense=1).status_code == 422
    assert clock(client) == "2024-03-21T11:00:00+00:00"


def test_a_corrected_row_replaces_the_old_one(client: Client) -> None:
    amendment = {"match": {"Ticker": "MSFT"}, "set": {"Range": "$15,001 - $50,000"}}
    assert client.control(amend=amendment).json()["rows_changed"] == 1
    rows = client.rows(LIVE)
    assert len(rows) == 2
    assert rows[0]["Range"] == "$15,001 - $50,000"
    assert (rows[0]["ReportDate"], rows[0]["last_modified"]) == ("2024-03-05", "2024-03-20")


def test_rows_can_vanish_and_appear(client: Client) -> None:
    assert client.control(withdraw={"Ticker": "AAPL"}).json()["rows_changed"] == 1
    assert [row["Ticker"] for row in client.rows(LIVE)] == ["MSFT"]
    new = congress_row("2024-03-19", Ticker="NVDA").fields
    assert client.control(disclose=[new, new]).json()["rows_changed"] == 2
    assert [row["Ticker"] for row in client.rows(LIVE)] == ["NVDA", "NVDA", "MSFT"]
    assert client.control(disclose=[new, {"Ticker": "X"}]).status_code == 422
    assert len(client.rows(LIVE)) == 3


def test_the_book_counts_what_was_asked_and_served(client: Client) -> None:
    client.rows(LIVE, date="20240305")
    client.get("/beta/none")
    client.arm("status", status=500)
    client.get(LIVE)
    book = client.book()
    assert book["visible"]["congress"] == {"Representatives": 2}
    assert book["visible"]["congress_newest_report"] == "2024-03-05"
    assert book["visible"]["committees_as_of"] == "2024-01-01"
    assert book["requests"]["total"] == 3
    assert book["requests"]["rows"] == 1
    assert book["requests"]["by_path"][LIVE] == {
        "requests": 2,
        "rows": 1,
        "status_200": 1,
        "status_500": 1,
    }
    first, _, last = book["requests"]["last"]
    assert (first["query"], first["rows"], first["fault"]) == ("date=20240305", 1, None)
    assert (last["status"], last["fault"]) == (500, "status")


def test_plan_and_limits_can_be_switched(client: Client) -> None:
    client.control(plan="hobbyist", rate_limits=True)
    assert client.get("/beta/live/insiders").status_code == 403
    book = client.book()
    assert book["plan"] == "hobbyist"
    assert book["rate_limits"]["on"] is True


def test_the_program_serves_and_stops_on_sigterm() -> None:
    command = [sys.executable, "-m", "simulators.quiverquant", "--port", "0", "--seed", "3"]
    environment = {**os.environ, "TRADETRAIL_QUIVER_TOKEN": "from-the-environment"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            base = next(word for word in line.split() if word.startswith("http")).rstrip(",")
            client = Client(base)
            client.headers = {"Authorization": "Token from-the-environment"}
            assert clock(client) == "2024-01-02T12:00:00+00:00"
            assert client.rows(LIVE)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(START_TIMEOUT_S) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "{folder}"], "lacks congress_v1.jsonl"),
        (["--data", "{folder}/none"], "is not a folder"),
        (["--rate-class", "/beta/x=often"], "the rate classes are"),
        (["--now", "2024-01-02T12:00:00"], "--now"),
        (["--port", "99999"], "can't listen on"),
    ],
)
def test_bad_options_end_with_2_and_say_why(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    filled = [text.format(folder=tmp_path) for text in arguments]
    started_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "simulators.quiverquant", "--port", "0", *filled],
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 2, f"{done.stderr} after {time.monotonic() - started_s:.1f} s"
    assert message in done.stderr
    assert "Traceback" not in done.stderr
