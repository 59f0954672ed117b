"""From a disclosure's trigger, committed, to the order at the broker: decider and executor, both as in production."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import mean, quantiles
from typing import Any

from benchmarks.decide_rig import decider, trigger_events
from benchmarks.execute_rig import BrokerSide, broker, executor, health_when, symbols_of
from benchmarks.log_rig import Heard, new_log
from benchmarks.parts import Say
from tradetrail.errors import Fatal
from tradetrail.events.generated import (
    ApiCallRecorded,
    CallPurpose,
    DecisionDeclined,
    DecisionMade,
    OrderBlocked,
    OrderSubmitting,
    OrderUpdated,
)
from tradetrail.log.codec import Codec
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# The first orders pay for schemas, connections and caches; services that run for days pay once.
WARM_UP = 20
# Between two triggers, at random, so that no rhythm of a poll or a fetch is met each time.
_GAP_S_MAX = 0.06
_ORDER_MAX_S = 60.0
_SYMBOLS = 40
_HEARD = (
    ApiCallRecorded,
    DecisionDeclined,
    DecisionMade,
    OrderBlocked,
    OrderSubmitting,
    OrderUpdated,
)


@dataclass(slots=True)
class _Story:
    """What the log told of one trigger; instants are Kafka's append times, milliseconds since 1970."""

    committed_ns: int
    committed_ms: float
    client_order_id: str = ""
    decided_ms: float = 0.0
    intended_ms: float = 0.0
    asked_ms: float = 0.0


def latency(
    kafka: str, registry_url: str, count: int, say: Say, latency_ms: int, warm_up: int = WARM_UP
) -> dict[str, Any]:
    """Return how long ``count`` triggers took from their commit to an order at a broker of that latency."""
    settings = new_log(kafka, registry_url)
    with ExitStack() as cleanup:
        enter = cleanup.enter_context
        at = enter(broker(_SYMBOLS, latency_ms))
        enter(decider(settings, at.url, DECIDER_POSITION_FRACTION="0.00001"))
        running = enter(executor(settings, at))
        health_when(running, "an active executor", active=True)
        say(f"{count} single triggers at {latency_ms} ms, each ordered before the next")
        stories = _stories(settings, warm_up + count)[warm_up:]
        return _figures(stories, at, f"at_{latency_ms}ms")


def _stories(settings: SharedSettings, count: int) -> list[_Story]:
    """Trigger, and wait for the broker's answer, again and again."""
    topics, codec = Topics.of(settings), Codec(settings.registry_url)
    producer = TransactionalProducer(settings, codec, f"{settings.topic_prefix}bench")
    producer.start()
    heard = Heard(settings, *(each.TYPE for each in _HEARD))
    symbols, pause, stories = symbols_of(_SYMBOLS), random.Random(1), []
    for number in range(count):
        time.sleep(pause.uniform(0, _GAP_S_MAX))
        symbol = symbols[number % len(symbols)]
        events = trigger_events(symbol, number)
        producer.commit([Outgoing(topics.for_symbol(symbol), symbol, e) for e in events])
        story = _Story(time.monotonic_ns(), time.time() * 1000)
        _follow(heard, story)
        stories.append(story)
    heard.close()
    return stories


def _follow(heard: Heard, story: _Story) -> None:
    """Read the log until the order of the story has been answered."""
    while True:
        _, message, decoded = heard.next(_ORDER_MAX_S)
        event, (_, appended_ms) = decoded.event, message.timestamp()
        if isinstance(event, DecisionMade):
            story.decided_ms = appended_ms
        elif isinstance(event, ApiCallRecorded):
            is_context = event.purpose is CallPurpose.PORTFOLIO_CONTEXT
            if is_context and event.service == "executor" and not event.chunk_index:
                story.asked_ms += event.duration_us / 1000
        elif isinstance(event, OrderSubmitting):
            story.client_order_id, story.intended_ms = event.client_order_id, appended_ms
        elif not isinstance(event, OrderUpdated):
            raise Fatal(f"a trigger came to no order: {event}")
        elif event.client_order_id == story.client_order_id:
            return


def _figures(stories: list[_Story], at: BrokerSide, suffix: str) -> dict[str, Any]:
    arrivals = at.arrivals()
    came = [arrivals[story.client_order_id] for story in stories]
    took = [
        (there["monotonic_ns"] - story.committed_ns) / 1e6
        for story, there in zip(stories, came, strict=True)
    ]
    cuts = quantiles(took, n=100, method="inclusive")
    split = {
        "decided": mean(s.decided_ms - s.committed_ms for s in stories),
        "intent_logged": mean(s.intended_ms - s.decided_ms for s in stories),
        "of_that_asking_the_broker": mean(s.asked_ms for s in stories),
        "order_there": mean(
            there["real_ns"] / 1e6 - s.intended_ms for s, there in zip(stories, came, strict=True)
        ),
    }
    return {
        f"log_to_broker_p50_ms_{suffix}": round(cuts[49], 1),
        f"log_to_broker_p99_ms_{suffix}": round(cuts[98], 1),
        f"log_to_broker_mean_ms_{suffix}": round(mean(took), 1),
        f"log_to_broker_split_mean_ms_{suffix}": {k: round(v, 1) for k, v in split.items()},
        f"log_to_broker_count_{suffix}": len(took),
    }
