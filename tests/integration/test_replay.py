"""A replay on a real log: what a decider decided comes out again, alterations are named, and nothing is moved."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
import requests
from confluent_kafka import ConsumerGroupTopicPartitions

from benchmarks.paper_log import PaperLog
from services.decider.replay.history import Answer
from tests.eventually import eventually
from tests.integration.decider_harness import running_decider, simulated_alpaca
from tests.integration.disclosed import Row, morning, publish, run_events
from tests.replay_log import small_log
from tradetrail.events.generated import DecisionDeclined, DecisionMade, DeclineReason, Direction
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_admin
from tradetrail.log.provision import provision
from tradetrail.log.reader import end_offsets, places_of, read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings, SymbolGroup

pytestmark = pytest.mark.stack
DAY = date(2024, 2, 5)
# A replay of a few events takes a second; a busy machine takes long to start it.
REPLAY_TIMEOUT_S = 120.0
ONE_PARTITION = (SymbolGroup(name="default", patterns=("*",), partitions=1),)


def replay(log: SharedSettings, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    groups = [group.model_dump(mode="json") for group in log.symbol_groups]
    settings = {
        "TRADETRAIL_KAFKA": log.kafka,
        "TRADETRAIL_REGISTRY_URL": log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": log.topic_prefix,
        "TRADETRAIL_SYMBOL_GROUPS": json.dumps(groups),
    }
    return subprocess.run(
        [sys.executable, "-m", "tradetrail", "replay", *arguments],
        env={**os.environ, **settings, **env},
        capture_output=True,
        text=True,
        timeout=REPLAY_TIMEOUT_S,
        check=False,
    )


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"{done.stdout}\n{done.stderr}") from error
    return content


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """Listen where nobody should come, and keep who came."""
    came: list[str] = []

    class Guest(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            came.append(str(self.client_address))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Guest) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", came
        server.shutdown()


def committed(log: SharedSettings) -> dict[str, Any]:
    """Return the committed offsets of every group of this log."""
    admin = open_admin(log)
    groups = admin.list_consumer_groups(request_timeout=REQUEST_TIMEOUT_S).result().valid
    found = {}
    for group in sorted(g.group_id for g in groups if g.group_id.startswith(log.topic_prefix)):
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        offsets = asked[group].result(REQUEST_TIMEOUT_S).topic_partitions
        found[group] = sorted((tp.topic, tp.partition, tp.offset) for tp in offsets)
    return found


def answers(log: SharedSettings) -> list[Answer]:
    codec = Codec(log.registry_url)
    events = (codec.decode(m.value).event for m in read_all(log, Topics.of(log).trade()))
    return [event for event in events if isinstance(event, DecisionMade | DecisionDeclined)]


@pytest.fixture
def decided(log: SharedSettings) -> SharedSettings:
    """Return a log with answers of every kind, made by a decider process on a simulated Alpaca."""
    two = (Row("Ann"), Row("Bob"))
    with simulated_alpaca() as alpaca, running_decider(log, alpaca, context_wait_s=8):
        selling = [Row("Ann", Direction.SELL), Row("Bob", Direction.SELL)]
        runs = [
            *run_events("AAPL", "run-1", morning(DAY), two),
            *run_events("NOSUCH", "run-1", morning(DAY), two),
            *run_events("MSFT", "run-1", morning(DAY), selling),
            *run_events("AAPL", "run-2", morning(DAY), [Row("Ann", version=2)]),
            *run_events("AMZN", "run-1", morning(DAY), [Row("Cal", amount_usd_min=1)]),
        ]
        publish(log, runs)
        eventually(lambda: len(answers(log)) >= 5)
        fault = {"kind": "status", "status": 503, "path": "/v2/account", "count": 1000}
        requests.post(f"{alpaca}/control", json={"fault": fault}, timeout=30).raise_for_status()
        publish(log, run_events("TSLA", "run-1", morning(DAY), two))
        eventually(lambda: len(answers(log)) >= 6)
    return log


def test_what_a_decider_decided_comes_out_again_and_nothing_is_moved(
    decided: SharedSettings,
) -> None:
    assert sorted(a.reason for a in answers(decided) if isinstance(a, DecisionDeclined)) == [
        DeclineReason.ALREADY_ACTED,
        DeclineReason.BELOW_THRESHOLD,
        DeclineReason.CONTEXT_UNAVAILABLE,
        DeclineReason.NO_POSITION,
        DeclineReason.NOT_TRADABLE,
    ]
    places = places_of(decided, Topics.of(decided).all())
    before = end_offsets(decided, places, committed_only=False), committed(decided)
    with listening() as (url, came):
        alpaca = {"TRADETRAIL_ALPACA_URL": url, "TRADETRAIL_ALPACA_DATA_URL": url}
        same = replay(decided, "--format", "json", TRADETRAIL_CLOCK_URL=url, **alpaca)
        other = replay(decided, "--set", "strength_min=9", "--format", "csv", **alpaca)
    assert same.returncode == 0, same.stdout + same.stderr
    report = report_of(same)
    assert (report["triggers"], report["answers_compared"], report["differences"]) == (6, 6, 0)
    assert other.returncode == 0, other.stderr
    assert other.stdout.splitlines()[1].startswith("vanishes,2024-02-05,")
    assert came == []
    assert (end_offsets(decided, places, committed_only=False), committed(decided)) == before


@pytest.fixture
def altered(stack: Any) -> SharedSettings:
    """Return a log of which one decision's quantity, one version, one reason were altered and one answer is gone."""
    shared = SharedSettings(
        kafka=stack.addresses.kafka,
        registry_url=stack.addresses.registry_url,
        topic_prefix=f"t{uuid4().hex[:8]}.",
        symbol_groups=ONE_PARTITION,
        instance="test",
    )
    provision(shared, Codec(shared.registry_url))
    log = PaperLog(partitions=1, topic=f"{shared.topic_prefix}default")
    small_log(log=log)
    decisions, declines = count(), count()

    def alter(answer: Answer) -> Answer | None:
        if isinstance(answer, DecisionDeclined):
            first = next(declines) == 0
            return replace(answer, reason=DeclineReason.NO_SIGNAL) if first else answer
        changes: dict[int, Answer | None] = {
            1: replace(answer, quantity=answer.quantity + 1),
            3: replace(answer, strategy_version="9.9.9"),
            5: None,
        }
        return changes.get(next(decisions), answer)

    log.alter(alter)
    log.copy_to(shared)
    return shared


def test_alterations_are_found_and_named(altered: SharedSettings) -> None:
    done = replay(altered, "--format", "json")
    assert done.returncode == 1, done.stderr
    report = report_of(done)
    assert report["differences"] == 4
    fields = {row["field"]: (row["recorded"], row["replayed"]) for row in report["rows"]}
    assert fields["reason"] == ("no_signal", "below_threshold")
    recorded, replayed = fields["quantity"]
    assert int(recorded) == int(replayed) + 1
    assert "strategy_version" in fields
    assert any(row["recorded"] is None for row in report["rows"])
    table = replay(altered)
    assert table.returncode == 1
    assert "differences 4" in table.stdout
    unknown = replay(altered, "--set", "foo=1")
    assert unknown.returncode == 2
    assert "CongressionalTradingStrategy.strength_min: Least strength (0 to 10)" in unknown.stderr
