"""Runs acts on threads of their own: few at once, halts apart from all else, the same act once at a time.

An act waits seconds for its answer. On the threads of the reports it would hold those up, and among orders that wait,
a halt would have to.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tradetrail.acts.asking import KeyTaken
from tradetrail.acts.log import Log
from tradetrail.errors import Unreachable
from tradetrail.log.codec import Codec

# Each holds up to three Kafka clients while it works. A desk of people seldom gives two acts in the same second.
ORDERS_AT_ONCE_MAX = 8
# Several people may halt at once when something is wrong.
HALTS_AT_ONCE_MAX = 4

T = TypeVar("T")


class TooManyActs(Unreachable):
    """As many acts are under way as there may be; this one was not begun."""


@dataclass(frozen=True, slots=True)
class Flight:
    """What makes two requests one act while it is under way: ``key`` finds it, ``contents`` tell if it is the same."""

    key: str
    contents: str
    is_halt: bool = False


@dataclass(slots=True)
class _Lane:
    threads: ThreadPoolExecutor
    free: int


class ActThreads:
    """The threads. Belongs to one event loop, but for ``close``."""

    def __init__(self, log: Log) -> None:
        """Put acts into ``log``."""
        self._log = log
        self._own = threading.local()
        self._orders = _lane("act", ORDERS_AT_ONCE_MAX)
        self._halts = _lane("halt", HALTS_AT_ONCE_MAX)
        self._under_way: dict[str, tuple[str, asyncio.Future[Any]]] = {}

    async def run(self, flight: Flight, act: Callable[[Log], T]) -> tuple[T, bool]:
        """Return what ``act`` returns on one of the threads, and whether another request had begun it already.

        A client that leaves ends nothing. Raises what ``act`` does, KeyTaken while another act under the same key is
        under way, TooManyActs when no thread is free.
        """
        if flight.key in self._under_way:
            contents, running = self._under_way[flight.key]
            if contents != flight.contents:
                raise KeyTaken(
                    "another act under this key is being recorded right now: use another key for this one"
                )
            return await asyncio.shield(running), True
        lane = self._halts if flight.is_halt else self._orders
        if not lane.free or self._log.stopping.is_set():
            raise TooManyActs("too many acts are under way")
        loop = asyncio.get_running_loop()
        begun = loop.run_in_executor(lane.threads, lambda: act(self._own_log()))
        lane.free -= 1
        self._under_way[flight.key] = (flight.contents, begun)

        def landed(ended: asyncio.Future[Any]) -> None:
            lane.free += 1
            del self._under_way[flight.key]
            if not ended.cancelled():
                # Looked at, also when whoever asked has left.
                ended.exception()

        begun.add_done_callback(landed)
        return await asyncio.shield(begun), False

    def close(self) -> None:
        """Wait for no more answers: what is recorded is told so, and the rest ends within its requests' limits."""
        self._log.stopping.set()
        for lane in (self._orders, self._halts):
            lane.threads.shutdown(wait=False, cancel_futures=True)

    def _own_log(self) -> Log:
        """Return the log with a codec of this thread's own."""
        if not hasattr(self._own, "log"):
            codec = Codec(self._log.settings.registry_url)
            self._own.log = replace(self._log, codec=codec)
        log: Log = self._own.log
        return log


def _lane(name: str, at_once_max: int) -> _Lane:
    return _Lane(ThreadPoolExecutor(at_once_max, thread_name_prefix=name), at_once_max)
