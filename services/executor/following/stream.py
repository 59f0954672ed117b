"""The broker's trade updates as hints: which order to look at, and single fills. Never the truth by itself.

The thread only parses and enqueues; it can be deaf, slow or dead, and polling alone still suffices.
"""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from services.executor import metrics
from services.executor.broker.outcomes import Fill, instant
from tradetrail.alpaca_settings import AlpacaSettings

# More hints than this at once, and all open orders are polled instead.
HINTS_MAX = 1_000
# How long the thread listens before it looks at the flags; not a sign of trouble: the stream has no heartbeat.
_LISTEN_S = 0.5
_OPEN_TIMEOUT_S = 10.0
# A closing handshake that isn't answered: the other end is gone.
_CLOSE_TIMEOUT_S = 1.0
# A ping this often, its pong within as long: a half-dead connection is noticed within 20 s. Alpaca's own client waits
# 180 s for a pong.
PING_EVERY_S = 10.0
# Backoff with jitter: a storm of reconnects earns 429.
_BACKOFF_S_MIN, _BACKOFF_S_MAX = 0.5, 30.0
# A connection that lasted this long, or told of an order, was a good one: the next failure is the first again.
_GOOD_AFTER_S = 30.0

# Source: Alpaca's newer documents of trade updates.
_CORRECTIONS = frozenset({"trade_bust", "trade_correct"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Correction:
    """A fill that the broker took back or corrected: its word for that, and the message word for word."""

    word: str
    order_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Hint:
    """An order to look at, and its state as far as it was told.

    ``order_id`` None means all open orders (after a reconnect or an overflow).
    """

    order_id: str | None
    fill: Fill | None = None
    status: str | None = None
    filled_qty: Decimal | None = None
    correction: Correction | None = None


class TradeUpdates:
    """Listens on a thread of its own."""

    def __init__(self, alpaca: AlpacaSettings, ping_every_s: float = PING_EVERY_S) -> None:
        """Prepare the thread; nothing is connected yet."""
        self._alpaca = alpaca
        self._ping_every_s = ping_every_s
        self._hints: queue.Queue[Hint] = queue.Queue(HINTS_MAX)
        self._overflowed = threading.Event()
        self._stop = threading.Event()
        self._again = threading.Event()
        self._has_spoken = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="trade-updates")
        self.connected_at: float | None = None
        """When the present connection began to listen, monotonic; None while there is none."""

    @property
    def is_connected(self) -> bool:
        """Tell whether the broker lets us listen; not whether it tells anything."""
        return self.connected_at is not None

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def reconnect(self) -> None:
        """Give the present connection up and make another, after a pause that grows from time to time."""
        self._again.set()

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        self._stop.set()
        if self._thread.ident:
            self._thread.join(_LISTEN_S + _OPEN_TIMEOUT_S + _CLOSE_TIMEOUT_S)

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
            reason, began_at = "the broker closed it", time.monotonic()
            self._has_spoken = False
            self._again.clear()
            try:
                with connect(
                    self._alpaca.stream_url,
                    open_timeout=_OPEN_TIMEOUT_S,
                    close_timeout=_CLOSE_TIMEOUT_S,
                    ping_interval=self._ping_every_s,
                    ping_timeout=self._ping_every_s,
                    # Like every other request: nothing from the environment.
                    proxy=None,
                ) as socket:
                    self._listen(socket)
                    self.connected_at = None
            except (OSError, WebSocketException, ValueError, KeyError, TypeError) as error:
                reason = str(error) or repr(error)
            was_good = self._has_spoken or time.monotonic() - began_at > _GOOD_AFTER_S
            self.connected_at = None
            if self._stop.is_set():
                return
            failures = 1 if was_good else failures + 1
            metrics.STREAM_INTERRUPTIONS.inc()
            log.warning("trade updates are interrupted; polling goes on", reason=reason)
            self._stop.wait(backoff_s(failures))

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
        # What it says before this is no update: only now is anything told to us.
        socket.recv(timeout=_OPEN_TIMEOUT_S)
        self.connected_at = time.monotonic()
        # What happened while nobody listened is lost: look at everything once.
        self._put(Hint(None))
        while not self._stop.is_set():
            if self._again.is_set():
                raise ValueError("it was mute")
            try:
                message = socket.recv(timeout=_LISTEN_S)
            except TimeoutError:
                continue
            hint = parse_hint(message)
            if hint is not None:
                self._has_spoken = True
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
    word, correction = update.get("event"), None
    if word in _CORRECTIONS:
        correction = Correction(word, order_id, _text(message))
    return Hint(order_id, _fill(order_id, update), *_state(update["order"]), correction)


def backoff_s(failures: int) -> float:
    """Return how long to pause after so many failures in a row, seconds: longer each time, never the same."""
    top = min(_BACKOFF_S_MAX, _BACKOFF_S_MIN * 2 ** min(failures, 8))
    return random.uniform(_BACKOFF_S_MIN / 2, top)


def _text(message: str | bytes) -> str:
    return message if isinstance(message, str) else message.decode("utf-8", "replace")


def _state(order: dict[str, Any]) -> tuple[str | None, Decimal | None]:
    try:
        return str(order["status"]), Decimal(order["filled_qty"])
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None, None


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
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None
