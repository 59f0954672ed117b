"""From a trigger's commit to its decision, and how many decisions one decider makes from a backlog."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import mean, quantiles
from typing import Any
from uuid import uuid4

import requests
from confluent_kafka import TopicPartition

from benchmarks.decide_rig import (
    EVENTS_A_TRIGGER,
    NOW,
    Answered,
    decider,
    trigger_events,
)
from benchmarks.log_rig import KEYS, Running, new_log, simulated_alpaca
from benchmarks.parts import Say
from simulators.world import open_world
from tradetrail.errors import Fatal
from tradetrail.events.generated import DecisionMade
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_consumer
from tradetrail.log.producer import EventProducer, Outgoing, TransactionalProducer
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# The first answers pay for schemas, connections and caches; a decider that runs for days pays once.
WARM_UP = 20
# Between two triggers, at random, so that no rhythm of a poll or a fetch is met each time.
_GAP_S_MAX = 0.06
_ANSWER_MAX_S = 60.0
_SEND_MAX = 3_000
_MONTH = timedelta(days=45)
# The requirement this design began with.
REQUIRED_PER_MINUTE = 100


def priced_symbols() -> list[str]:
    """Return the companies of the simulated world that can be traded now, with a month of prices."""
    world, today = open_world(None), NOW.date()
    return [s for s in world.assets if len(world.prices.bars(s, today - _MONTH, today)) > 21]


def latency(
    kafka: str, registry_url: str, count: int, say: Say, warm_up: int = WARM_UP
) -> dict[str, Any]:
    """Return how long ``count`` single triggers took from their commit to a readable decision, and the split."""
    settings = new_log(kafka, registry_url)
    topics, codec = Topics.of(settings), Codec(settings.registry_url)
    producer = TransactionalProducer(settings, codec, f"{settings.topic_prefix}bench")
    producer.start()
    answered, symbols = Answered(settings), priced_symbols()
    pause = random.Random(1)
    took: list[float] = []
    with simulated_alpaca(NOW) as alpaca, decider(settings, alpaca) as running:
        say(f"{count} single triggers, each answered before the next")
        before: dict[str, float] = {}
        for number in range(warm_up + count):
            if number == warm_up:
                before = running.metrics()
            time.sleep(pause.uniform(0, _GAP_S_MAX))
            symbol = symbols[number % len(symbols)]
            events = trigger_events(symbol, number)
            producer.commit([Outgoing(topics.for_symbol(symbol), symbol, e) for e in events])
            committed = time.perf_counter()
            here, answer = answered.answer(_ANSWER_MAX_S)
            if not isinstance(answer, DecisionMade) or answer.batch_id != f"run-{number}":
                raise Fatal(f"trigger {number} was answered by {answer}")
            took.append((here - committed) * 1000)
        split = _split(before, running.metrics(), count)
    answered.close()
    del took[:warm_up]
    cuts = quantiles(took, n=100, method="inclusive")
    # What is not the decider's own work: both ways through Kafka.
    split["waits"] = mean(took) - split["process"] - split["commit"]
    return {
        "event_to_decision_p50_ms": round(cuts[49], 1),
        "event_to_decision_p99_ms": round(cuts[98], 1),
        "event_to_decision_mean_ms": round(mean(took), 1),
        "event_to_decision_split_mean_ms": {k: round(v, 1) for k, v in split.items()},
        "event_to_decision_count": count,
    }


def _split(before: dict[str, float], after: dict[str, float], count: int) -> dict[str, float]:
    """Return the mean milliseconds of each step, by what the decider counts itself."""
    found = {}
    for metric, steps in (
        ("tradetrail_decider_step_seconds", ("fold", "reference", "evaluate", "context", "state")),
        ("tradetrail_loop_step_seconds", ("process", "commit")),
    ):
        for step in steps:
            name = f'{metric}_sum{{step="{step}"}}'
            found[step] = (after.get(name, 0.0) - before.get(name, 0.0)) * 1000 / count
    # Read within it, and told apart.
    found["evaluate"] -= found["reference"]
    return found


def throughput(kafka: str, registry_url: str, count: int, say: Say) -> dict[str, Any]:
    """Return how fast one decider answers a backlog of ``count`` triggers, also against the bare requests for it."""
    settings = new_log(kafka, registry_url)
    topics, codec = Topics.of(settings), Codec(settings.registry_url)
    producer = EventProducer(settings, codec)
    answered, symbols = Answered(settings), priced_symbols()
    batch: list[Outgoing] = []
    for number in range(count):
        symbol = symbols[number % len(symbols)]
        events = trigger_events(symbol, number)
        batch += [Outgoing(topics.for_symbol(symbol), symbol, event) for event in events]
        if len(batch) > _SEND_MAX or number == count - 1:
            producer.send(batch)
            batch = []
    say(f"a backlog of {count} triggers")
    with simulated_alpaca(NOW) as alpaca:
        with decider(settings, alpaca) as running:
            first, answer = answered.answer(_ANSWER_MAX_S)
            answers = [answer]
            last = first
            while len(answers) < count:
                last, answer = answered.answer(_ANSWER_MAX_S)
                answers.append(answer)
            done = _done(running)
        answered.close()
        took_s = last - first
        if len({each.decision_id for each in answers}) != count:
            raise Fatal(f"{count} triggers have {len(answers)} answers, not each its own")
        say("the same requests and transactions, bare")
        value = codec.encode(answers[-1])
        bare_s = _bare_s(settings, alpaca, [value] * (count // done["batches"]), done, symbols)
    return {
        "decisions_per_s": round((count - 1) / took_s, 1),
        "decisions_per_minute": round(60 * (count - 1) / took_s),
        "times_required_per_minute": round(60 * (count - 1) / took_s / REQUIRED_PER_MINUTE, 1),
        "decided_backlog": count,
        "backlog_transactions": done["batches"],
        "backlog_requests": done["requests"],
        "backlog_events_read_per_s": round(count * EVENTS_A_TRIGGER / took_s),
        "decisions_ratio_to_bare": round(bare_s / took_s, 3),
    }


def _done(running: Running) -> dict[str, int]:
    metrics = running.metrics()
    requests_made = sum(
        v for k, v in metrics.items() if k.startswith("tradetrail_decider_calls_total")
    )
    batches = metrics['tradetrail_loop_step_seconds_count{step="commit"}']
    return {"batches": int(batches), "requests": int(requests_made)}


def _bare_s(
    settings: SharedSettings,
    alpaca: str,
    values: Sequence[bytes],
    done: dict[str, int],
    symbols: Sequence[str],
) -> float:
    """Return the seconds that as many transactions of as many decisions and as many requests take, one by one."""
    topic = Topics.of(settings).for_symbol(symbols[0])
    name = f"{settings.topic_prefix}bare-{uuid4().hex[:6]}"
    consumer = open_consumer(settings, name)
    consumer.subscribe([topic])
    if consumer.poll(_ANSWER_MAX_S) is None:
        raise Fatal(f"nothing of {topic} could be read within {_ANSWER_MAX_S:g} s")
    producer = TransactionalProducer(settings, Codec(settings.registry_url), name)
    producer.start()
    # Without the checks of ours: what the broker and the client library take is all that counts here.
    bare = producer._producer
    keys = {"APCA-API-KEY-ID": KEYS["KEY_ID"], "APCA-API-SECRET-KEY": KEYS["SECRET_KEY"]}
    query = {"symbols": ",".join(symbols), "timeframe": "1Day", "start": f"{NOW:%Y-02-15}"}
    paths = ("/v2/account", "/v2/positions", "/v2/stocks/bars")
    with requests.Session() as session:
        session.headers.update(keys)
        started = time.perf_counter()
        for number in range(done["requests"]):
            path = paths[number % len(paths)]
            session.get(alpaca + path, params=query, timeout=10).raise_for_status()
        for number in range(done["batches"]):
            bare.begin_transaction()
            for value in values:
                bare.produce(topic, key=b"bare", value=value)
            bare.send_offsets_to_transaction(
                [TopicPartition(topic, 0, number)],
                consumer.consumer_group_metadata(),
                REQUEST_TIMEOUT_S,
            )
            bare.commit_transaction(REQUEST_TIMEOUT_S)
        took_s = time.perf_counter() - started
    consumer.close()
    return took_s
