"""The transactional loop on a real broker: each input has its output exactly once, whatever breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.eventually import eventually
from tests.integration.log_events import configuration_recorded
from tradetrail.errors import Fatal, Retryable
from tradetrail.events.generated import Cause, ConfigurationRecorded
from tradetrail.log.codec import Codec
from tradetrail.log.entry import Entry
from tradetrail.log.kafka import open_consumer
from tradetrail.log.loop import TransactionalLoop
from tradetrail.log.producer import EventProducer, Outgoing, TransactionalProducer
from tradetrail.log.reader import Place, end_offsets, places_of, read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack
SYMBOLS = ["IBM", "T", "XOM", "JPM", "BAC", "GE", "F", "DIS"]


class Echo:
    """Answers each event of the symbol groups on the audit topic; keeps what its views would be."""

    def __init__(self, topics: Topics, disturb: Callable[[], None] = lambda: None) -> None:
        self.topics = topics
        self.disturb = disturb
        self.held: dict[Place, int] = {}
        self.bad: list[Entry] = []

    def take(self, committed: dict[Place, int]) -> None:
        self.held.update(committed)

    def forget(self, places: Sequence[Place]) -> None:
        for place in places:
            self.held.pop(place)

    def process(self, batch: Sequence[Entry]) -> list[Outgoing]:
        self.disturb()
        self.bad += [entry for entry in batch if entry.decoded is None]
        return [self.answer(entry) for entry in batch if entry.decoded is not None]

    def answer(self, entry: Entry) -> Outgoing:
        message = entry.message
        assert entry.decoded is not None
        event = entry.decoded.event
        assert isinstance(event, ConfigurationRecorded)
        cause = Cause(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            event_id=event.event_id,
        )
        return Outgoing(
            self.topics.audit, "echo", configuration_recorded(f"re:{event.scope}", cause)
        )


@contextmanager
def running(
    log: SharedSettings, processor: Echo, name: str = "echo-0"
) -> Iterator[TransactionalLoop]:
    stop = threading.Event()
    failures: list[BaseException] = []
    loop = TransactionalLoop(
        log,
        Codec(log.registry_url),
        processor,
        group=f"{log.topic_prefix}echo",
        topics=Topics.of(log).trade(),
        transactional_id=f"{log.topic_prefix}{name}",
        stop=stop,
    )

    def run() -> None:
        try:
            loop.run()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield loop
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
        assert not failures, failures


def publish(log: SharedSettings, first: int, count: int) -> None:
    topics = Topics.of(log)
    producer = EventProducer(log, Codec(log.registry_url))
    producer.send(
        [
            Outgoing(topics.for_symbol(s), s, configuration_recorded(f"{s}-{n}", symbol=s))
            for n in range(first, first + count)
            for s in SYMBOLS
        ]
    )


def answers(log: SharedSettings) -> list[str]:
    codec = Codec(log.registry_url)
    events = [codec.decode(m.value).event for m in read_all(log, [Topics.of(log).audit])]
    return [event.scope for event in events if isinstance(event, ConfigurationRecorded)]


def expected(count: int) -> set[str]:
    return {f"re:{s}-{n}" for n in range(count) for s in SYMBOLS}


def assert_each_once(log: SharedSettings, count: int) -> None:
    eventually(lambda: set(answers(log)) == expected(count))
    assert len(answers(log)) == len(expected(count))


def test_each_event_is_answered_once_over_a_restart(log: SharedSettings) -> None:
    topics = Topics.of(log)
    publish(log, 0, 20)
    with running(log, Echo(topics)):
        assert_each_once(log, 20)
    publish(log, 20, 20)
    with running(log, Echo(topics)):
        assert_each_once(log, 40)


def test_order_within_a_symbol_is_kept(log: SharedSettings) -> None:
    publish(log, 0, 30)
    with running(log, Echo(Topics.of(log))):
        assert_each_once(log, 30)
    for symbol in SYMBOLS:
        own = [scope for scope in answers(log) if scope.startswith(f"re:{symbol}-")]
        assert own == [f"re:{symbol}-{n}" for n in range(30)]


def test_a_batch_that_fails_is_done_again_and_leaves_no_trace(log: SharedSettings) -> None:
    failing = iter([True, True, False, True])

    def disturb() -> None:
        if next(failing, False):
            raise Retryable("a server is away")

    echo = Echo(Topics.of(log), disturb)
    with running(log, echo):
        publish(log, 0, 10)
        assert_each_once(log, 10)
        publish(log, 10, 10)
        assert_each_once(log, 20)


class SlowToTake(Echo):
    """Can't build its views at first, as while the registry is away."""

    def __init__(self, topics: Topics) -> None:
        super().__init__(topics)
        self.is_back = threading.Event()
        self.failures = 0

    def take(self, committed: dict[Place, int]) -> None:
        if not self.is_back.is_set():
            self.failures += 1
            raise Retryable("the registry is away")
        super().take(committed)


def test_partitions_that_could_not_be_taken_at_once_lose_nothing(log: SharedSettings) -> None:
    publish(log, 0, 10)
    echo = SlowToTake(Topics.of(log))
    with running(log, echo) as loop:
        eventually(lambda: loop.trouble == "the registry is away" and echo.failures > 1)
        echo.is_back.set()
        assert_each_once(log, 10)
        eventually(lambda: loop.trouble is None)


def test_a_member_expelled_in_mid_batch_commits_nothing(log: SharedSettings) -> None:
    """Its transaction is aborted, the partitions are another's, and each event has one answer."""
    codec, topics = Codec(log.registry_url), Topics.of(log)
    publish(log, 0, 5)
    first = open_consumer(log, f"{log.topic_prefix}echo")
    first.subscribe(topics.trade())
    eventually(lambda: bool(first.poll(0.1)) and len(first.assignment()) == 6)
    stale = first.consumer_group_metadata()
    first.close()
    with running(log, Echo(topics)):
        assert_each_once(log, 5)
        expelled = TransactionalProducer(log, codec, f"{log.topic_prefix}expelled")
        expelled.start()
        with pytest.raises(Retryable):
            expelled.commit(
                [Outgoing(topics.audit, "x", configuration_recorded("re:T-0"))],
                consumer=Expelled(stale),  # type: ignore[arg-type]
                offsets={(topics.for_symbol("T"), 0): 0},
            )
        assert_each_once(log, 5)


class Expelled:
    """A consumer that no longer belongs to its group, with the metadata it had."""

    def __init__(self, metadata: object) -> None:
        self._metadata = metadata

    def consumer_group_metadata(self) -> object:
        return self._metadata


def test_positions_reach_the_high_watermark_past_transaction_markers(log: SharedSettings) -> None:
    topics = Topics.of(log)
    TransactionalProducer(log, Codec(log.registry_url), f"{log.topic_prefix}w").start()
    writer = TransactionalProducer(log, Codec(log.registry_url), f"{log.topic_prefix}w")
    writer.start()
    writer.commit(
        [Outgoing(topics.for_symbol("T"), "T", configuration_recorded("T-0", symbol="T"))]
    )
    places = places_of(log, topics.trade())
    ends = {
        f"{t}/{p}": end for (t, p), end in end_offsets(log, places, committed_only=False).items()
    }
    assert sum(ends.values()) == 2, "one event and its commit marker"
    with running(log, Echo(topics)) as loop:
        eventually(lambda: loop.positions == ends)


def test_an_unreadable_event_is_handed_on_and_does_not_stop_the_partition(
    log: SharedSettings,
) -> None:
    topics = Topics.of(log)
    echo = Echo(topics)
    foreign = EventProducer(log, Codec(log.registry_url))
    foreign._producer.produce(topics.for_symbol("T"), key=b"T", value=b"not avro")
    foreign._producer.flush(10)
    publish(log, 0, 5)
    with running(log, echo):
        assert_each_once(log, 5)
    assert [entry.message.key for entry in echo.bad] == [b"T"]


def test_a_second_member_takes_over_partitions_and_nothing_is_answered_twice(
    log: SharedSettings,
) -> None:
    topics = Topics.of(log)
    first, second = Echo(topics), Echo(topics)
    with running(log, first, "echo-0"):
        publish(log, 0, 20)
        eventually(lambda: len(first.held) == 6)
        with running(log, second, "echo-1"):
            publish(log, 20, 20)
            eventually(lambda: len(second.held) == 3)
            publish(log, 40, 20)
            assert_each_once(log, 60)
        publish(log, 60, 5)
        assert_each_once(log, 65)


def test_an_older_producer_of_the_same_id_is_fenced(log: SharedSettings) -> None:
    topics, codec = Topics.of(log), Codec(log.registry_url)
    older = TransactionalProducer(log, codec, f"{log.topic_prefix}one")
    older.start()
    newer = TransactionalProducer(log, codec, f"{log.topic_prefix}one")
    newer.start()
    newer.commit([Outgoing(topics.audit, "x", configuration_recorded("newer"))])
    with pytest.raises(Fatal):
        older.commit([Outgoing(topics.audit, "x", configuration_recorded("older"))])
    assert answers(log) == ["newer"]


def test_a_stop_ends_at_a_message_boundary(log: SharedSettings) -> None:
    slow = threading.Event()

    def disturb() -> None:
        slow.set()
        time.sleep(0.2)

    publish(log, 0, 10)
    with running(log, Echo(Topics.of(log), disturb)):
        assert slow.wait(60)
    assert len(answers(log)) == len(set(answers(log)))
    with running(log, Echo(Topics.of(log))):
        assert_each_once(log, 10)
