"""A real decider on a log of its own, with a simulated Alpaca that answers at once: processes of the benchmark."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests
from confluent_kafka import Consumer, TopicPartition

from benchmarks.two_buyers import run_events
from tradetrail.errors import Fatal
from tradetrail.events import Event
from tradetrail.events.generated import DecisionDeclined, DecisionMade
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_consumer
from tradetrail.log.provision import provision
from tradetrail.log.reader import end_offsets
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# A morning in the middle of the simulated half year, before the session: prices of twenty sessions and more are known.
NOW = datetime(2024, 4, 2, 11, tzinfo=UTC)
# Two members buying are a consensus, and so a decision.
PEOPLE = ("Ann", "Bob")
EVENTS_A_TRIGGER = len(PEOPLE) + 1
# On a busy machine a decider's imports alone take many seconds.
_START_MAX_S = 180.0
_STOP_MAX_S = 30.0
_POLL_S = 0.05


def new_log(kafka: str, registry_url: str, **more: Any) -> SharedSettings:
    """Return the settings of a new log on topics of its own, provisioned; ``more`` are further settings."""
    settings = SharedSettings(
        kafka=kafka,
        registry_url=registry_url,
        topic_prefix=f"bench{uuid4().hex[:8]}.",
        instance="bench",
        log_level="warning",
        **more,
    )
    provision(settings, Codec(settings.registry_url))
    return settings


@contextmanager
def simulated_alpaca() -> Iterator[str]:
    """Run a simulated Alpaca without a rate limit; yield its URL."""
    port = _free_port()
    command = [sys.executable, "-m", "simulators.alpaca", "--port", str(port), "--rate-limit", "0"]
    url = f"http://127.0.0.1:{port}"
    with _process([*command, "--now", NOW.isoformat()], os.environ.copy()):
        _until_ready(f"{url}/control/clock")
        yield url


@dataclass(frozen=True, slots=True)
class Running:
    """A decider that answers /health and /metrics at ``url``."""

    url: str

    def metrics(self) -> dict[str, float]:
        """Return every sample by its name and labels, as written on /metrics."""
        text = requests.get(f"{self.url}/metrics", timeout=10).text
        lines = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$", text, re.M)
        return {name: float(value) for name, value in lines}


@contextmanager
def decider(settings: SharedSettings, alpaca: str) -> Iterator[Running]:
    """Run a decider on the log until the block ends. Raises Fatal when it does not become ready."""
    port = _free_port()
    env = {
        **os.environ,
        "TRADETRAIL_KAFKA": settings.kafka,
        "TRADETRAIL_REGISTRY_URL": settings.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": settings.topic_prefix,
        "TRADETRAIL_LOG_LEVEL": "warning",
        "TRADETRAIL_HTTP_PORT": str(port),
        "TRADETRAIL_CLOCK_URL": f"{alpaca}/control/clock",
        "TRADETRAIL_ALPACA_URL": alpaca,
        "TRADETRAIL_ALPACA_DATA_URL": alpaca,
        "TRADETRAIL_ALPACA_KEY_ID": "simulated-key-id",
        "TRADETRAIL_ALPACA_SECRET_KEY": "simulated-secret-key",
    }
    url = f"http://127.0.0.1:{port}"
    with _process([sys.executable, "-m", "services.decider"], env):
        _until_ready(f"{url}/health")
        yield Running(url)


def trigger_events(symbol: str, number: int) -> list[Event]:
    """Return a run's events of one symbol: two members' new purchases, and the trigger. Run id: ``run-NUMBER``."""
    people = [f"{person} {number}" for person in PEOPLE]
    return run_events(symbol, f"run-{number}", NOW - timedelta(hours=1), people, 15_001)


class Answered:
    """Reads answers as they become readable to anyone: read_committed, from where the log ends now."""

    def __init__(self, settings: SharedSettings) -> None:
        """Begin at the end of every trade topic."""
        self._codec = Codec(settings.registry_url)
        self._consumer: Consumer = open_consumer(settings)
        places = [
            (topic, number)
            for topic in Topics.of(settings).trade()
            for number in self._consumer.list_topics(topic, 10).topics[topic].partitions
        ]
        ends = end_offsets(settings, places)
        self._consumer.assign([TopicPartition(t, p, ends[(t, p)]) for t, p in places])

    def next(self, timeout_s: float) -> tuple[float, DecisionMade | DecisionDeclined]:
        """Return the next answer and when it was here (``time.perf_counter``). Raises Fatal when none comes."""
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            message = self._consumer.poll(left_s)
            if message is None or message.error():
                continue
            here = time.perf_counter()
            decoded = self._codec.decode(message.value())
            if decoded.type_name in (DecisionMade.TYPE, DecisionDeclined.TYPE):
                event = decoded.event
                if isinstance(event, DecisionMade | DecisionDeclined):
                    return here, event
        raise Fatal(f"no answer of the decider came within {timeout_s:g} s; its log is above")

    def close(self) -> None:
        """Leave."""
        self._consumer.close()


@contextmanager
def _process(command: Sequence[str], env: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_MAX_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _until_ready(url: str) -> None:
    deadline = time.monotonic() + _START_MAX_S
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(_POLL_S)
    raise Fatal(f"{url} was not ready within {_START_MAX_S:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
