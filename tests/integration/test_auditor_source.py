"""The auditor's Kafka edge alone, on a real broker: what a rebalance at a bad moment must not break."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from services.auditor.progress import Progress
from services.auditor.reading.source import Source
from tests.integration.log_events import configuration_recorded
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import Place
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

_EVENTS = 40
_WITHIN_S = 90.0


class _Member:
    """A member of the auditors' group whose positions are a plain dictionary, shared as the database is."""

    def __init__(self, log: SharedSettings, kept: dict[Place, int]) -> None:
        self._kept = kept
        self.source = Source(log, Topics.of(log).trade(), self._positions, Progress())
        self.source.join()

    def _positions(self, places: Iterable[Place]) -> dict[Place, int]:
        return {place: self._kept.get(place, 0) for place in places}

    def step(self) -> None:
        """Take one batch and keep its positions."""
        _, ends = self.source.poll(1_000, 1 << 20, 0.0)
        self._kept.update(ends)
        self.source.advance(ends)


def test_partitions_that_left_while_paused_are_read_when_they_return(log: SharedSettings) -> None:
    """The client remembers a pause across an unassign: without a resume such a partition would be mute for ever."""
    kept: dict[Place, int] = {}
    first = _Member(log, kept)
    _until(lambda: len(first.source.positions) >= 2, first)
    everything = set(first.source.positions)
    first.source.pause()
    second = _Member(log, kept)
    _until(lambda: bool(second.source.positions), second, serving=first)
    left = everything - set(first.source.positions)
    assert left
    first.source.resume()
    second.source.close()
    _until(lambda: set(first.source.positions) == everything, first)
    topics = Topics.of(log)
    sent = [
        Outgoing(topic, f"SYM{number}", configuration_recorded(f"{topic} {number}"))
        for number in range(_EVENTS)
        for topic in topics.trade()
    ]
    EventProducer(log, Codec(log.registry_url)).send(sent)
    _until(lambda: sum(kept.values()) == len(sent), first)
    assert any(kept.get(place) for place in left)
    first.source.close()


def _until(done: Callable[[], bool], member: _Member, serving: _Member | None = None) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not done():
        assert time.monotonic() < deadline, member.source.positions
        member.step()
        if serving is not None:
            serving.source.keep_alive()
