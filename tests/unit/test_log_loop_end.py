"""A transactional loop never waits for the Kafka client without a limit, whatever the client itself does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tradetrail.errors import Fatal
from tradetrail.log import loop as module
from tradetrail.log import producer as producer_module
from tradetrail.log.codec import Codec
from tradetrail.log.entry import Entry
from tradetrail.log.loop import TransactionalLoop
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.reader import Place
from tradetrail.settings import SharedSettings


class Idle:
    """A processor of nothing."""

    def take(self, committed: dict[Place, int]) -> None:
        pass

    def forget(self, places: Sequence[Place]) -> None:
        pass

    def process(self, batch: Sequence[Entry]) -> list[Outgoing]:
        return []


class Clinging:
    """A consumer whose broker never lets it leave, and a producer that never comes back from sending offsets."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.released = threading.Event()

    def close(self) -> None:
        self.asked.set()
        self.released.wait(120)

    def consumer_group_metadata(self) -> None:
        pass

    def begin_transaction(self) -> None:
        pass

    def send_offsets_to_transaction(self, *_asked: object) -> None:
        self.close()


@pytest.fixture
def clinging() -> Iterator[Clinging]:
    consumer = Clinging()
    yield consumer
    consumer.released.set()


def test_a_broker_that_does_not_let_go_does_not_keep_the_process(
    clinging: Clinging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAVE_TIMEOUT_S", 0.1)
    nowhere = SharedSettings(kafka="127.0.0.1:9", registry_url="http://127.0.0.1:9")
    loop = TransactionalLoop(
        nowhere,
        Codec(nowhere.registry_url),
        Idle(),
        group="nobody",
        topics=["nothing"],
        transactional_id="nobody-0",
        stop=threading.Event(),
    )
    loop._consumer.close()
    monkeypatch.setattr(loop, "_consumer", clinging)
    ended = threading.Thread(target=loop._leave)
    ended.start()
    ended.join(60)
    assert clinging.asked.is_set()
    assert not clinging.released.is_set()
    assert not ended.is_alive()


def test_offsets_that_are_never_sent_end_the_process(
    clinging: Clinging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer_module, "OFFSETS_TIMEOUT_S", 0.1)
    nowhere = SharedSettings(kafka="127.0.0.1:9", registry_url="http://127.0.0.1:9")
    producer = TransactionalProducer(nowhere, Codec(nowhere.registry_url), "nobody-0")
    monkeypatch.setattr(producer, "_producer", clinging)
    consumer: Any = clinging
    with pytest.raises(Fatal, match="sending offsets"):
        producer.commit([], consumer=consumer, offsets={("nothing", 0): 1})
    assert clinging.asked.is_set()
    assert not clinging.released.is_set()
