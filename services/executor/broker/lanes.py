"""Lanes: threads that do nothing but requests to the broker, each with a session of its own.

The loop's thread asks and finishes; what a request brought comes back to it, in the order in which requests end. At
most one request under a key at a time: results of one turn never contradict each other.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog

from services.executor.broker.trading_api import Broker

# Closing waits this long for requests under way, then cuts their connections, and waits as long once more.
CLOSE_WAIT_S = 1.0

T = TypeVar("T")
_Request = Callable[[Broker], Callable[[], None]]

log = structlog.get_logger(__name__)


class Lanes:
    """A bounded pool of lanes. All calls from one thread."""

    def __init__(self, open_broker: Callable[[], Broker], count: int) -> None:
        """Make ``count`` lanes; each opens its broker with its first request."""
        self._ended: queue.SimpleQueue[tuple[_Lane, str, Callable[[], None]]] = queue.SimpleQueue()
        self._has_ended = threading.Event()
        self._all = [_Lane(open_broker, index, self._has_ended_one) for index in range(count)]
        # The last one used is used next: its connection is warm.
        self._idle = list(reversed(self._all))
        self._busy: set[str] = set()

    @property
    def count(self) -> int:
        """Return how many lanes there are."""
        return len(self._all)

    @property
    def free(self) -> int:
        """Return how many lanes have nothing to do."""
        return len(self._idle)

    def is_busy(self, key: str) -> bool:
        """Tell whether a request under ``key`` is under way, or has ended and waits for ``finish``."""
        return key in self._busy

    def ask(self, key: str, request: Callable[[Broker], T], then: Callable[[T], None]) -> bool:
        """Begin a request on a lane; ``then`` gets its result on the caller's thread, in a later ``finish``.

        False, and nothing begun, when no lane is free or the key is busy.
        """
        if not self._idle or key in self._busy:
            return False

        def answered(broker: Broker) -> Callable[[], None]:
            return partial(then, request(broker))

        self._busy.add(key)
        self._idle.pop().begin(key, answered)
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait until a request has ended, at most ``timeout_s`` real seconds; return whether one has."""
        return self._has_ended.wait(timeout_s)

    def finish(self) -> None:
        """Run the ``then`` of every request that has ended. Raises what a request raised: a lane fails loudly."""
        self._has_ended.clear()
        while True:
            try:
                lane, key, then = self._ended.get_nowait()
            except queue.Empty:
                return
            self._busy.discard(key)
            self._idle.append(lane)
            then()

    def close(self) -> None:
        """End every lane within twice ``CLOSE_WAIT_S``; what is still under way is cut off, its result forgotten."""
        for lane in self._all:
            lane.stop()
        if not self._join():
            for lane in self._all:
                lane.cut()
            if not self._join():
                log.error("a request to the broker does not end; leaving its thread behind")

    def _join(self) -> bool:
        deadline = time.monotonic() + CLOSE_WAIT_S
        return all(lane.join(deadline) for lane in self._all)

    def _has_ended_one(self, lane: _Lane, key: str, then: Callable[[], None]) -> None:
        self._ended.put((lane, key, then))
        self._has_ended.set()


class _Lane:
    """One thread and its session; the thread starts with the first request."""

    def __init__(
        self,
        open_broker: Callable[[], Broker],
        index: int,
        ended: Callable[[_Lane, str, Callable[[], None]], None],
    ) -> None:
        self._open_broker = open_broker
        self._ended = ended
        self._todo: queue.SimpleQueue[tuple[str, _Request] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"lane-{index}")
        self._broker: Broker | None = None

    def begin(self, key: str, request: _Request) -> None:
        if not self._thread.ident:
            self._thread.start()
        self._todo.put((key, request))

    def stop(self) -> None:
        self._todo.put(None)

    def cut(self) -> None:
        if self._thread.is_alive() and self._broker is not None:
            self._broker.cut()

    def join(self, deadline: float) -> bool:
        if self._thread.ident:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (todo := self._todo.get()) is not None:
            key, request = todo
            try:
                if self._broker is None:
                    self._broker = self._open_broker()
                then = request(self._broker)
            except BaseException as error:  # noqa: BLE001 (raised again by finish)
                then = partial(_raise, error)
            self._ended(self, key, then)
        if self._broker is not None:
            self._broker.close()


def _raise(error: BaseException) -> None:
    raise error
