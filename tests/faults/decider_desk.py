"""The desk of the decider's campaign: servers, a lane's vendor and registry, and one round's log and processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import requests
from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.eventually import eventually
from tests.faults.decider_checks import Woken
from tests.faults.decider_publisher import Publisher
from tests.faults.decider_script import DAY, HELD, Delivery
from tests.faults.plain_log import Place
from tests.faults.processes import PROCESS_TIMEOUT_S, Process, Tally, clean_environment, serving
from tests.integration.cut_proxy import CutProxy
from tradetrail.log.codec import Codec
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

KILLED = -signal.SIGKILL
# Longer than any trouble of the vendor's in a round: the answer is the same in the end.
CONTEXT_WAIT_S = 90
# A supervisor starts what ends by itself again; more often than this in one round is a defect.
_REVIVALS_MAX = 8
# From the last fault to the last answer: a dead member's 6 s, a hung transaction's 20 s, starts on two busy cores.
CAUGHT_UP_S = 120.0
# Each look asks the broker about every partition.
_POLL_S = 0.2
_BROKER_TIMEOUT_S = 10.0
# What the loop logs when views are built and work begins, and when partitions go.
_HOLDS, _GIVES = "partitions taken", "partitions given away"
# What a process logs that ends by itself, and its exit codes then: lost or unreachable, or asked to stop meanwhile.
_ENDS = "stopping for good"
_OWN_ENDS = (1, 3, -signal.SIGTERM)
_HTTP_TIMEOUT_S = 10.0


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
def lane(stack: LocalStack, home: Path, name: str, tally: Tally) -> Iterator[Lane]:
    """Make a lane; its vendor ends with it."""
    registry = urlsplit(stack.addresses.registry_url)
    with ExitStack() as held:
        alpaca = held.enter_context(alpaca_process(home / f"alpaca-{name}.log"))
        proxy = held.enter_context(CutProxy(registry.hostname or "", registry.port or 80))
        yield Lane(stack, home, alpaca, proxy, Codec(stack.addresses.registry_url), tally)


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


@dataclass
class Round:
    """One fault on a log of its own: its processes, and what goes wrong."""

    lane: Lane
    number: int
    chance: Random
    log: SharedSettings
    script: Sequence[Delivery]
    undisturbed: Callable[[], None]
    """Runs the undisturbed decider; called once, while the disturbed ones start."""
    problems: list[str] = field(default_factory=list)
    woken: list[Woken] = field(default_factory=list)
    deciders: dict[int, Process] = field(default_factory=dict)
    may_end: bool = True
    """Whether the fault may end a decider by itself: a lost broker or a lost transaction does, a vendor must not."""
    _all: list[Process] = field(default_factory=list)
    _revivals: int = 0

    def __post_init__(self) -> None:
        """Open the connections that the round needs."""
        self.group = Group(self.log)
        self.publisher = Publisher(self.log, self.lane.codec, self.script)

    def begin(
        self, deciders: int = 0, *, die_at: str = "", first: float = 0.5, keep: int = 0
    ) -> None:
        """Publish the ``first`` part, start so many deciders (0: one to three), then publish on from a thread.

        The first one dies at ``die_at``. The last ``keep`` deliveries are left to ``finish``.
        """
        # The reference facts come before anybody looks: how far they are read plays no part in a comparison.
        self.publisher.publish(1 + int(len(self.script) * first))
        for replica in range(deciders or self.chance.randint(1, 3)):
            self.start(replica, die_at if replica == 0 else "")
        self.undisturbed()
        if die_at:
            self._await_at_work(self.deciders[0])
        self.publisher.begin(self.chance, keep)

    def _await_at_work(self, victim: Process) -> None:
        """Wait until the victim holds partitions: others that start sooner leave it nothing otherwise."""
        eventually(
            lambda: victim.is_over() or victim.is_frozen() or _HOLDS in victim.log.read_text(),
            within_s=PROCESS_TIMEOUT_S,
        )

    def start(self, replica: int, die_at: str = "") -> Process:
        """Start the decider of a replica slot."""
        name = f"r{self.number}-{replica}-{len(self._all) + 1}"
        env = clean_environment() | vendor_environment(self.lane.alpaca)
        env |= {
            "TRADETRAIL_KAFKA": self.log.kafka,
            "TRADETRAIL_REGISTRY_URL": self.lane.registry_url(),
            "TRADETRAIL_TOPIC_PREFIX": self.log.topic_prefix,
            "TRADETRAIL_INSTANCE": name,
            "TRADETRAIL_REPLICA": str(replica),
            "TRADETRAIL_DECIDER_DIE_AT": die_at,
            # One that hangs says where.
            "PYTHONFAULTHANDLER": "1",
        }
        process = Process(name, self.lane.home / f"{name}.log", "services.decider", (), env)
        self.deciders[replica] = process
        self._all.append(process)
        return process

    def await_struck(self, victim: Process) -> bool:
        """Wait until the victim died or froze at its step; return False when all was answered without that."""
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while time.monotonic() < deadline:
            if victim.is_over() or victim.is_frozen():
                return True
            if self.publisher.is_done() and self.group.is_caught_up():
                self.count("missed")
                return False
            time.sleep(_POLL_S)
        raise TimeoutError(f"{victim.name} neither came to its step nor was all answered")

    def count(self, what: str, step: str = "") -> None:
        """Count one act, and the step it was done at."""
        self.lane.tally.count(what, step)

    def problem(self, text: str, process: Process | None = None) -> None:
        """Note what should not have been."""
        said = f"\n    {process.name} said: {process.said()}" if process is not None else ""
        self.problems.append(f"{text}{said}")

    def stop(self, replica: int, when: str = "") -> None:
        """Ask a decider to stop, awake again if it was frozen; it does so by itself."""
        process = self.deciders.pop(replica)
        # One that has not said a word yet has no ear for it either, and ends as any process does; so does one that is
        # just ending by itself.
        is_deaf = not process.said()
        process.send(signal.SIGTERM)
        process.send(signal.SIGCONT)
        code = process.wait()
        is_ending = self.may_end and _ENDS in process.said()
        allowed = {0, *((-signal.SIGTERM,) if is_deaf else ()), *(_OWN_ENDS if is_ending else ())}
        if code not in allowed:
            self.problem(
                f"asked to stop{when}, {process.name} ended with exit code {code}", process
            )

    def revive(self) -> None:
        """Start again what has ended, as a supervisor does."""
        for replica, process in list(self.deciders.items()):
            if not process.is_over():
                continue
            code = process.wait()
            if code == KILLED:
                self.count("rebalances")
            elif code not in (1, 3) or not self.may_end:
                self.problem(f"{process.name} ended by itself with exit code {code}", process)
            else:
                self.count("ended_by_themselves")
            self._revivals += 1
            if self._revivals > _REVIVALS_MAX:
                raise RuntimeError(f"{process.name} ends again and again: {process.said()}")
            self.start(replica)

    def await_caught_up(self) -> None:
        """Wait until all that is published is answered; meanwhile what ends is started again."""
        deadline = time.monotonic() + CAUGHT_UP_S
        while not self.group.is_caught_up():
            self.revive()
            if time.monotonic() > deadline:
                said = "".join(f"\n    {p.name} said: {p.stacks()}" for p in self.deciders.values())
                raise TimeoutError(
                    f"not answered within {CAUGHT_UP_S:.0f} s, committed and end: {self.group.behind()}{said}"
                )
            time.sleep(_POLL_S)

    def finish(self) -> None:
        """Wake whom a fault left frozen, publish the rest, wait until it is answered, ask everybody to stop."""
        for process in self.deciders.values():
            process.send(signal.SIGCONT)
        self.publisher.await_done()
        self.publisher.publish()
        self.await_caught_up()
        moved = sum(p.log.read_text().count(_GIVES) for p in self._all)
        self.lane.tally.count("rebalances", times=moved)
        for replica in list(self.deciders):
            self.stop(replica)

    def close(self) -> None:
        """Kill what is left and end all trouble."""
        for process in self._all:
            process.kill()
        self.publisher.halt()
        self.group.close()
        self.lane.calm()
