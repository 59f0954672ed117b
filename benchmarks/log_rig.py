"""What the benchmarks of the services stand on: a log of their own, services as processes, a simulated Alpaca."""

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
from datetime import datetime
from typing import Any
from uuid import uuid4

import requests
from confluent_kafka import Consumer, Message, TopicPartition

from tradetrail.errors import Fatal
from tradetrail.log.codec import Codec, Decoded
from tradetrail.log.kafka import open_consumer
from tradetrail.log.provision import provision
from tradetrail.log.reader import end_offsets, places_of
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# What the simulated Alpaca answers to when its environment says nothing else.
KEYS = {"KEY_ID": "simulated-key-id", "SECRET_KEY": "simulated-secret-key"}
# On a busy machine a service's imports alone take many seconds.
_START_MAX_S = 180.0
_STOP_MAX_S = 30.0
_POLL_S = 0.02


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
def simulated_alpaca(now: datetime, *options: str) -> Iterator[str]:
    """Run a simulated Alpaca without a rate limit, standing at ``now``; yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "simulators.alpaca", "--port", str(port), "--rate-limit", "0"]
    url = f"http://127.0.0.1:{port}"
    with process([*command, "--now", now.isoformat(), *options], os.environ.copy()):
        until_answered(f"{url}/control/clock")
        yield url


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers /health and /metrics at ``url``."""

    url: str
    popen: subprocess.Popen[bytes]

    def metrics(self) -> dict[str, float]:
        """Return every sample by its name and labels, as written on /metrics."""
        text = requests.get(f"{self.url}/metrics", timeout=10).text
        lines = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$", text, re.M)
        return {name: float(value) for name, value in lines}

    def health(self) -> dict[str, Any]:
        """Return what /health says."""
        content: dict[str, Any] = requests.get(f"{self.url}/health", timeout=10).json()
        return content


@contextmanager
def service(name: str, settings: SharedSettings, alpaca: str, **more: object) -> Iterator[Running]:
    """Run a service on the log until the block ends; ``more`` are settings without ``TRADETRAIL_``.

    It may not answer yet: ``until_answered`` waits for that.
    """
    port = free_port()
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
        "TRADETRAIL_ALPACA_STREAM_URL": alpaca.replace("http://", "ws://") + "/stream",
        **{f"TRADETRAIL_ALPACA_{key}": value for key, value in KEYS.items()},
        **{f"TRADETRAIL_{key}": str(value) for key, value in more.items()},
    }
    with process([sys.executable, "-m", f"services.{name}"], env) as popen:
        yield Running(f"http://127.0.0.1:{port}", popen)


class Heard:
    """Reads events as they become readable to anyone: read_committed, from where the log ends now."""

    def __init__(self, settings: SharedSettings, *types: str) -> None:
        """Begin at the end of every trade topic; only events of these ``types`` are told."""
        self._types = types
        self._codec = Codec(settings.registry_url)
        self._consumer: Consumer = open_consumer(settings)
        places = places_of(settings, Topics.of(settings).trade())
        ends = end_offsets(settings, places)
        self._consumer.assign([TopicPartition(t, p, ends[(t, p)]) for t, p in places])

    def next(self, timeout_s: float) -> tuple[float, Message, Decoded]:
        """Return the next event and when it was here (``time.perf_counter``). Raises Fatal when none comes."""
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            message = self._consumer.poll(left_s)
            if message is None or message.error():
                continue
            here = time.perf_counter()
            decoded = self._codec.decode(message.value())
            if decoded.type_name in self._types:
                return here, message, decoded
        raise Fatal(
            f"none of {', '.join(self._types)} came within {timeout_s:g} s; the services' logs are above"
        )

    def close(self) -> None:
        """Leave."""
        self._consumer.close()


@contextmanager
def process(command: Sequence[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until the block ends; then it is asked to stop, and killed when it does not."""
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as popen:
        try:
            yield popen
        finally:
            popen.terminate()
            try:
                popen.wait(_STOP_MAX_S)
            except subprocess.TimeoutExpired:
                popen.kill()


def until_answered(url: str) -> None:
    """Wait until ``url`` answers well. Raises Fatal when it does not within three minutes."""
    deadline = time.monotonic() + _START_MAX_S
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(_POLL_S)
    raise Fatal(f"{url} was not ready within {_START_MAX_S:g} s")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
