"""The desk of the decider's campaign: a lane's vendor and registry, and how far a log's deciders have come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.eventually import eventually
from tests.faults.decider_script import DAY, HELD
from tests.faults.nursery import Nursery
from tests.faults.plain_log import Place
from tests.faults.processes import Tally, serving
from tests.integration.cut_proxy import CutProxy
from tradetrail.log.codec import Codec
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

# Longer than any trouble of the vendor's in a round: the answer is the same in the end.
CONTEXT_WAIT_S = 90
_BROKER_TIMEOUT_S = 60.0
_HTTP_TIMEOUT_S = 60.0


def vendor_environment(alpaca: str) -> dict[str, str]:
    """Return the settings by which a decider finds a simulated Alpaca."""
    return {
        "TRADETRAIL_CLOCK_URL": f"{alpaca}/control/clock",
        "TRADETRAIL_ALPACA_URL": alpaca,
        "TRADETRAIL_ALPACA_DATA_URL": alpaca,
        "TRADETRAIL_ALPACA_KEY_ID": "simulated-key-id",
        "TRADETRAIL_ALPACA_SECRET_KEY": "simulated-secret-key",
        "TRADETRAIL_DECIDER_CONTEXT_WAIT_S": str(CONTEXT_WAIT_S),
    }


@contextmanager
def alpaca_process(log: Path) -> Iterator[str]:
    """Run a simulated Alpaca that stands still at the script's last morning; yield its address."""
    held = [part for symbol, lot in HELD.items() for part in ("--position", f"{symbol}={lot}")]
    now = ("--now", f"{DAY}T07:00:00-05:00", "--rate-limit", "0", "--seed", "1")
    with serving("simulators.alpaca", log, *now, *held) as address:
        eventually(lambda: requests.get(f"{address}/control/clock", timeout=_HTTP_TIMEOUT_S).ok)
        yield address


@dataclass
class Lane:
    """Where one round at a time is done: a vendor and a way to the registry that nobody else uses."""

    stack: LocalStack
    nursery: Nursery
    home: Path
    alpaca: str
    registry: CutProxy
    codec: Codec
    tally: Tally

    def control(self, **command: object) -> None:
        """Tell the simulated Alpaca what to do."""
        answer = requests.post(f"{self.alpaca}/control", json=command, timeout=_HTTP_TIMEOUT_S)
        answer.raise_for_status()

    def registry_url(self) -> str:
        """Return the registry's address by way of the proxy."""
        parts = urlsplit(self.stack.addresses.registry_url)
        return parts._replace(netloc=f"127.0.0.1:{self.registry.port}").geturl()

    def calm(self) -> None:
        """End all trouble of vendor and registry."""
        self.registry.mend()
        self.control(clear_faults=True, rate_limit=0)


@contextmanager
def lane(
    stack: LocalStack, born_in: Nursery, home: Path, name: str, tally: Tally
) -> Iterator[Lane]:
    """Make a lane; its vendor ends with it."""
    registry = urlsplit(stack.addresses.registry_url)
    with ExitStack() as held:
        alpaca = held.enter_context(alpaca_process(home / f"alpaca-{name}.log"))
        proxy = held.enter_context(CutProxy(registry.hostname or "", registry.port or 80))
        codec = Codec(stack.addresses.registry_url)
        yield Lane(stack, born_in, home, alpaca, proxy, codec, tally)


class Group:
    """How far the deciders of one log have come, as any Kafka client can ask."""

    def __init__(self, log: SharedSettings) -> None:
        """Ask nothing yet."""
        topics = Topics.of(log)
        self._places = [
            TopicPartition(spec.name, number)
            for spec in topics.specs()
            if spec.name in topics.trade()
            for number in range(spec.partitions)
        ]
        self._consumer = Consumer(
            {
                "bootstrap.servers": log.kafka,
                "group.id": f"{log.topic_prefix}decider",
                "enable.auto.commit": False,
                "isolation.level": "read_uncommitted",
                "log_level": 0,
            }
        )

    def ends(self) -> dict[Place, int]:
        """Return the offset after all that was ever written to each place, committed or not."""
        return {
            (p.topic, p.partition): self._consumer.get_watermark_offsets(p, _BROKER_TIMEOUT_S)[1]
            for p in self._places
        }

    def behind(self) -> dict[str, tuple[int, int]]:
        """Return each place whose end is not committed yet, with the committed offset and its end."""
        ends = self.ends()
        committed = self._consumer.committed(self._places, _BROKER_TIMEOUT_S)
        there = {(p.topic, p.partition): max(p.offset, 0) for p in committed if p.error is None}
        return {
            f"{place[0]}/{place[1]}": (there.get(place, -1), end)
            for place, end in ends.items()
            if there.get(place, -1) != end
        }

    def is_caught_up(self) -> bool:
        """Tell whether all is answered and committed; no while the broker does not answer."""
        try:
            return not self.behind()
        except KafkaException:
            return False

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()
