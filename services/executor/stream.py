"""The broker's trade updates as hints: which order to look at, and single fills. Never the truth by itself.

The thread only parses and enqueues; it can be deaf, slow or dead, and polling alone still suffices.
"""

from __future__ import annotations

import json
import queue
import random
import threading
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from services.executor.outcomes import Fill, instant
from tradetrail.alpaca_settings import AlpacaSettings

# More hints than this at once, and all open orders are polled instead.
HINTS_MAX = 1_000
# How long the thread listens before it looks at the stop flag; not a sign of trouble: the stream has no heartbeat.
_LISTEN_S = 1.0
_OPEN_TIMEOUT_S = 10.0
# Backoff with jitter: a storm of reconnects earns 429.
_BACKOFF_S_MIN, _BACKOFF_S_MAX = 0.5, 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hint:
    """An order to look at; ``order_id`` None means all open orders (after a reconnect or an overflow)."""

    order_id: str | None
    fill: Fill | None = None


class TradeUpdates:
    """Listens on a thread of its own."""

    def __init__(self, alpaca: AlpacaSettings) -> None:
        """Prepare the thread; nothing is connected yet."""
        self._alpaca = alpaca
        self._hints: queue.Queue[Hint] = queue.Queue(HINTS_MAX)
        self._overflowed = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="trade-updates")
        self.is_connected = False

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        self._stop.set()
        self._thread.join(_LISTEN_S + _OPEN_TIMEOUT_S)

    def take(self) -> list[Hint]:
        """Return the hints so far, without waiting."""
        hints: list[Hint] = []
        if self._overflowed.is_set():
            self._overflowed.clear()
            hints.append(Hint(None))
        while True:
            try:
                hints.append(self._hints.get_nowait())
            except queue.Empty:
                return hints

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                with connect(self._alpaca.stream_url, open_timeout=_OPEN_TIMEOUT_S) as socket:
                    self._listen(socket)
                failures = 0
            except (OSError, WebSocketException, ValueError, KeyError, TypeError) as error:
                failures = 1 if self.is_connected else failures + 1
                log.warning("trade updates are interrupted; polling goes on", error=str(error))
            self.is_connected = False
            self._stop.wait(_backoff_s(failures))

    def _listen(self, socket: ClientConnection) -> None:
        keys = {
            "key_id": self._alpaca.key_id.get_secret_value(),
            "secret_key": self._alpaca.secret_key.get_secret_value(),
        }
        socket.send(json.dumps({"action": "authenticate", "data": keys}))
        answer = json.loads(socket.recv(timeout=_OPEN_TIMEOUT_S))
        if answer["data"].get("status") != "authorized":
            raise ValueError("the broker refuses the stream's keys")
        socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        self.is_connected = True
        # What happened while nobody listened is lost: look at everything once.
        self._put(Hint(None))
        while not self._stop.is_set():
            try:
                message = socket.recv(timeout=_LISTEN_S)
            except TimeoutError:
                continue
            hint = parse_hint(message)
            if hint is not None:
                self._put(hint)

    def _put(self, hint: Hint) -> None:
        try:
            self._hints.put_nowait(hint)
        except queue.Full:
            self._overflowed.set()


def parse_hint(message: str | bytes) -> Hint | None:
    """Return the hint in a stream message; None for other messages. A fill that can't be read is a plain hint."""
    try:
        content = json.loads(message, parse_float=Decimal)
        if content.get("stream") != "trade_updates":
            return None
        update = content["data"]
        order_id = str(update["order"]["id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Hint(None)
    return Hint(order_id, _fill(order_id, update))


def _fill(order_id: str, update: dict[str, Any]) -> Fill | None:
    if update.get("event") not in ("fill", "partial_fill"):
        return None
    try:
        return Fill(
            broker_order_id=order_id,
            cumulative_qty=Decimal(update["order"]["filled_qty"]),
            qty=Decimal(update["qty"]),
            price=Decimal(update["price"]),
            at=instant(update.get("timestamp")),
        )
    except (KeyError, TypeError, InvalidOperation):
        return None


def _backoff_s(failures: int) -> float:
    top = min(_BACKOFF_S_MAX, _BACKOFF_S_MIN * 2 ** min(failures, 8))
    return random.uniform(_BACKOFF_S_MIN / 2, top)
