"""One round of the decider's campaign: its log, its deciders, and what goes wrong."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.eventually import eventually
from tests.faults.decider_checks import Woken
from tests.faults.decider_desk import Group, Lane, vendor_environment
from tests.faults.decider_publisher import Publisher
from tests.faults.decider_script import Delivery
from tests.faults.members import KILLED, Members
from tests.faults.processes import PROCESS_TIMEOUT_S, Process, clean_environment
from tradetrail.settings import SharedSettings

# From the last fault to the last answer: a dead member's 6 s, a hung transaction's 20 s, starts on two busy cores.
CAUGHT_UP_S = 300.0
# Each look asks the broker about every partition.
_POLL_S = 0.2
# What the loop logs when views are built and work begins, and when partitions go.
_HOLDS, _GIVES = "partitions taken", "partitions given away"
# What a process logs that ends by itself, and its exit codes then: lost or unreachable, or asked to stop meanwhile.
_ENDS = "stopping for good"
_OWN_ENDS = (1, 3, -signal.SIGTERM)


@dataclass
class Round(Members):
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

    def start(self, slot: int, die_at: str = "") -> Process:
        """Start the decider of a replica slot."""
        name = f"r{self.number}-{slot}-{len(self._all) + 1}"
        env = clean_environment() | vendor_environment(self.lane.alpaca)
        env |= {
            "TRADETRAIL_KAFKA": self.log.kafka,
            "TRADETRAIL_REGISTRY_URL": self.lane.registry_url(),
            "TRADETRAIL_TOPIC_PREFIX": self.log.topic_prefix,
            "TRADETRAIL_INSTANCE": name,
            "TRADETRAIL_REPLICA": str(slot),
            "TRADETRAIL_DECIDER_DIE_AT": die_at,
            # One that hangs says where.
            "PYTHONFAULTHANDLER": "1",
        }
        return self.born(slot, name, "services.decider", env)

    @property
    def members(self) -> dict[int, Process]:
        """Return the deciders."""
        return self.deciders

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

    def own_ends(self, process: Process) -> tuple[int, ...]:
        """Return the exit codes of one that was ending by itself when it was asked to stop."""
        return _OWN_ENDS if self.may_end and _ENDS in process.said() else ()

    def ended(self, process: Process, code: int) -> None:
        """Note that a decider ended unasked."""
        if code == KILLED:
            self.count("rebalances")
        elif code not in (1, 3) or not self.may_end:
            self.problem(f"{process.name} ended by itself with exit code {code}", process)
        else:
            self.count("ended_by_themselves")

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
        self.wake_all()
        self.publisher.await_done()
        self.publisher.publish()
        self.await_caught_up()
        moved = sum(p.log.read_text().count(_GIVES) for p in self._all)
        self.count("rebalances", times=moved)
        self.stop_all()

    def close(self) -> None:
        """Kill what is left and end all trouble."""
        self.kill_all()
        self.publisher.halt()
        self.group.close()
        self.lane.calm()
