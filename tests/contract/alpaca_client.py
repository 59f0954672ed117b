"""What the contract tests hold in hand: a running simulated Alpaca and alpaca-py's own clients on it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import requests

from tests.contract.alpaca_sdk import (
    APIError,
    StockHistoricalDataClient,
    TradingClient,
    TradingStream,
)
from tests.contract.alpaca_server import KEYS

HEADERS = {"APCA-API-KEY-ID": KEYS.key_id, "APCA-API-SECRET-KEY": KEYS.secret_key}
# A local server answers in milliseconds; only a broken test waits this long.
TIMEOUT_S = 60.0

T = TypeVar("T")


class Alpaca:
    """One running simulator: raw HTTP, the SDK's clients, and the control endpoint."""

    def __init__(self, url: str, pid: int) -> None:
        """Talk to the simulator at ``url``."""
        self.url = url
        self.pid = pid
        self.stream_url = url.replace("http://", "ws://") + "/stream"
        self.session = requests.Session()
        self.session.headers.update(HEADERS)
        # Any: the SDK's methods return a model or a dict, by a setting its types don't know of.
        self.trading: Any = TradingClient(KEYS.key_id, KEYS.secret_key, url_override=url)
        self.trading._retry = 0
        self.prices: Any = StockHistoricalDataClient(KEYS.key_id, KEYS.secret_key, url_override=url)
        self.prices._retry = 0

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request under /v2."""
        return self.session.request(method, f"{self.url}/v2{path}", timeout=TIMEOUT_S, **options)

    def order(self, symbol: str = "ACME", side: str = "buy", **fields: Any) -> requests.Response:
        """Post an order: by default one share at the market, for the day."""
        body = {"symbol": symbol, "side": side, "type": "market", "time_in_force": "day"}
        if "notional" not in fields:
            body["qty"] = "1"
        return self.call("POST", "/orders", json=body | fields)

    def placed(self, *args: Any, **fields: Any) -> dict[str, Any]:
        """Post an order that must be taken; return it as answered."""
        answer = self.order(*args, **fields)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def now(self, order: dict[str, Any]) -> dict[str, Any]:
        """Return an order as it is now."""
        content: dict[str, Any] = self.call("GET", f"/orders/{order['id']}").json()
        return content

    def control(self, **command: Any) -> dict[str, Any]:
        """Post a control command that must succeed."""
        answer = requests.post(f"{self.url}/control", json=command, timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def fault(self, kind: str, **fields: Any) -> None:
        """Arm a fault."""
        self.control(fault={"kind": kind, **fields})

    def book(self) -> dict[str, Any]:
        """Return all the simulator knows."""
        content: dict[str, Any] = requests.get(f"{self.url}/control", timeout=TIMEOUT_S).json()
        return content

    def events(self, order: dict[str, Any]) -> list[str]:
        """Return the names of an order's changes so far."""
        told = next(o for o in self.book()["orders"] if o["id"] == order["id"])
        return [change["event"] for change in told["changes"]]


@contextmanager
def server_factory() -> Iterator[Callable[..., Alpaca]]:
    """Start the forking server; yield what starts one simulator with given settings."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.contract.alpaca_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def start(**settings: Any) -> Alpaca:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(settings) + "\n")
            process.stdin.flush()
            line = process.stdout.readline().split()
            return Alpaca(line[-1], int(line[0]))

        try:
            yield start
        finally:
            process.stdin.close()


def stop(alpaca: Alpaca) -> None:
    """End a simulator."""
    alpaca.session.close()
    alpaca.trading._session.close()
    alpaca.prices._session.close()
    with suppress(ProcessLookupError):
        os.kill(alpaca.pid, signal.SIGTERM)


@contextmanager
def listening(alpaca: Alpaca) -> Iterator[list[dict[str, Any]]]:
    """Listen with the SDK's TradingStream; yield the list its raw messages arrive in."""
    stream: Any = TradingStream(
        KEYS.key_id, KEYS.secret_key, raw_data=True, url_override=alpaca.stream_url
    )
    stream._reconnect_min_backoff = 0.05
    messages: list[dict[str, Any]] = []

    async def keep(message: dict[str, Any]) -> None:
        messages.append(message["data"])

    stream.subscribe_trade_updates(keep)
    thread = threading.Thread(target=lambda: asyncio.run(stream._run_forever()))
    thread.start()
    try:
        eventually(lambda: alpaca.book()["stream"]["listening"] == 1)
        yield messages
    finally:
        stream.stop()
        # The SDK looks for its stop every five seconds, or when its connection ends.
        alpaca.fault("stream_drop")
        thread.join(TIMEOUT_S)


def eventually(look: Callable[[], T], deadline_s: float = TIMEOUT_S) -> T:
    """Return what ``look`` finds once it is true; fail with its last value after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"still {found!r} after {deadline_s} s"
        time.sleep(0.01)


def refused(act: Callable[[], Any]) -> tuple[int, dict[str, Any]]:
    """Return the status and body of the APIError that the SDK raises."""
    try:
        act()
    except APIError as error:
        body: dict[str, Any] = json.loads(str(error))
        return error.status_code, body
    raise AssertionError("the broker took what it should refuse")
