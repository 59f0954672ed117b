"""One round of the executor's campaign: its log, its account, its executors, and what goes wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from urllib.parse import urlsplit
from uuid import uuid4

from tests.contract.alpaca_client import Alpaca
from tests.faults.executor_checks import Woken
from tests.faults.executor_desk import HIDING, TROUBLE, Lane, environment, is_counted
from tests.faults.executor_script import AFTER_CLOSE, NEXT_SESSION, Script
from tests.faults.executor_watch import Watch
from tests.faults.members import KILLED, Members
from tests.faults.processes import PROCESS_TIMEOUT_S, Process
from tests.integration.cut_proxy import CutProxy
from tradetrail.events.generated import DecisionMade, OperatorAct
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.operator_acts import EVERYTHING, asked
from tradetrail.settings import SharedSettings

# From the last fault to the last outcome: a dead member's 6 s, a hung transaction's 20 s, starts on two busy cores.
SETTLED_S = 300.0
# Short of the day's close: an order that is open then is open until somebody moves the clock.
_CLOSE_S = 60.0


@dataclass
class Round(Members):
    """One fault on a log and an account of its own."""

    lane: Lane
    number: int
    chance: Random
    log: SharedSettings
    script: Script
    alpaca: Alpaca
    problems: list[str] = field(default_factory=list)
    woken: list[Woken] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    quiet: list[tuple[dict[str, int], dict[str, int]]] = field(default_factory=list)
    """Posts when a halt was acknowledged, and before it was lifted."""
    with_acts: bool = False
    """Whether a person acts on orders all the while."""
    hides: bool = False
    executors: dict[int, Process] = field(default_factory=dict)
    proxy: CutProxy | None = None
    _all: list[Process] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)
    _posts_at_halt: dict[str, int] = field(default_factory=dict)
    _published: int = 0
    _revivals: int = 0

    def __post_init__(self) -> None:
        """Open the connections that the round needs."""
        self.topics = Topics.of(self.log)
        self._producer = EventProducer(self.log, self.lane.codec)
        self.watch = Watch(self.log, self.lane.codec)

    def behind_proxy(self) -> CutProxy:
        """Put a door between the executors and their broker; before the first of them starts."""
        address = urlsplit(self.alpaca.url)
        self.proxy = CutProxy(address.hostname or "", address.port or 80)
        return self.proxy

    def publish(self, until: int | None = None) -> list[DecisionMade]:
        """Put the next decisions into the log, all of them or up to that one; return them."""
        lot = list(self.script.decisions[self._published : until])
        self._producer.send(
            [Outgoing(self.topics.for_symbol(d.symbol or ""), d.symbol or "", d) for d in lot]
        )
        self._published += len(lot)
        return lot

    def publish_part(self) -> None:
        """Put about half of what is left into the log."""
        left = len(self.script.decisions) - self._published
        self.publish(self._published + (left + 1) // 2)
        if self.with_acts:
            self.act_on_one()

    def tell(self, act: OperatorAct, scope: str, **arguments: object) -> str:
        """Let a person ask for something, of everything, or of a decision named by its id; return the act's id."""
        decision = next((d for d in self.script.decisions if d.decision_id == scope), None)
        wanted = asked(act, scope, ("Olga", "a test of the campaign", str(uuid4())), arguments)
        topic, key = self.topics.control, scope
        if decision is not None:
            key = decision.symbol or ""
            topic = self.topics.for_symbol(key)
            wanted = replace(wanted, symbol=key, decision_id=scope)
        envelope = Stamp("cli", "campaign").envelope(datetime.now(UTC))
        self._producer.send([Outgoing(topic, key, wanted.event(envelope))])
        self.count("acts", act.value)
        return wanted.act_id

    def act_on_one(self) -> None:
        """Let a person cancel or replace what was decided, one of the newest."""
        decision = self.chance.choice(self.script.decisions[: self._published][-3:])
        if self.chance.random() < 0.5:
            act_id = self.tell(OperatorAct.CANCEL_ORDER, decision.decision_id)
        else:
            change: dict[str, object] = {"quantity": str(self.chance.randint(1, 12))}
            act_id = self.tell(OperatorAct.REPLACE_ORDER, decision.decision_id, **change)
        self._asked.add(act_id)

    def halt(self) -> None:
        """Halt everything, and wait until who acts has acknowledged it; from then on nothing may be sent."""
        cancels = {"cancel_open": True} if self.chance.random() < 0.3 else {}
        act_id = self.tell(OperatorAct.HALT, EVERYTHING, **cancels)
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while act_id not in self.watch.acknowledged:
            self.look()
            self.revive()
            if time.monotonic() > deadline:
                raise TimeoutError("nobody acknowledges the halt")
        self._posts_at_halt = self.posts()
        self.count("halts")

    def resume(self) -> None:
        """Lift the halt; nothing was sent since it was acknowledged."""
        self.quiet.append((self._posts_at_halt, self.posts()))
        self.tell(OperatorAct.RESUME, EVERYTHING)

    def start(self, slot: int, die_at: str = "") -> Process:
        """Start the executor of a slot."""
        name = f"r{self.number}-{slot}-{len(self._all) + 1}"
        url = f"http://127.0.0.1:{self.proxy.port}" if self.proxy else self.alpaca.url
        env = environment(self.log, self.alpaca, url, name, self.script, die_at)
        return self.born(slot, name, "services.executor", env)

    @property
    def members(self) -> dict[int, Process]:
        """Return the executors."""
        return self.executors

    def begin(self, executors: int = 0, *, die_at: str = "", heirs_die_at: str = "") -> Process:
        """Publish a first part, start so many executors (0: one to three); return the first one, once it acts.

        It dies at ``die_at``; those that stand by at ``heirs_die_at``, if they come to it. The others start when the
        first one acts or is struck.
        """
        self.publish_part()
        victim = self.start(0, die_at)
        self.await_acting(victim)
        for slot in range(1, executors or self.chance.randint(1, 3)):
            self.start(slot, heirs_die_at)
        return victim

    def await_acting(self, process: Process) -> None:
        """Wait until that one acts for the account, or is struck."""
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while process.name not in self.watch.active and not process.is_struck():
            self.look()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{process.name} does not act; it said: {process.said()}")

    def await_other(self, than: Process) -> None:
        """Wait until another one acts."""
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while not self.watch.active or self.watch.active[-1] == than.name:
            self.look()
            self.revive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody takes over from {than.name}")

    def acting(self) -> tuple[int, Process]:
        """Return the executor that acts, as far as the log tells, with its slot; else any."""
        self.look()
        names = {process.name: slot for slot, process in self.executors.items()}
        active = self.watch.active[-1] if self.watch.active else ""
        slot = names.get(active, min(self.executors))
        return slot, self.executors[slot]

    def await_struck(self, victim: Process) -> bool:
        """Wait until it died or froze at its step; publish the rest meanwhile. False when all was done without."""
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while time.monotonic() < deadline:
            if victim.is_struck():
                return True
            self.look()
            if self.is_settled():
                if self._published == len(self.script.decisions):
                    self.count("missed")
                    return False
                self.publish_part()
        raise TimeoutError(f"{victim.name} neither came to its step nor was all done")

    def ended(self, process: Process, code: int) -> None:
        """Note that an executor ended unasked."""
        if code != KILLED and code not in (1, 3):
            self.problem(f"{process.name} ended by itself with exit code {code}", process)
        elif code != KILLED:
            self.count("ended_by_themselves")

    def trouble(self, kind: str) -> None:
        """Let the broker do what ``kind`` says, to one of the next orders or to a few of them."""
        self.hides = self.hides or kind in HIDING
        for fault in TROUBLE[kind]:
            spread = {"skip": self.chance.randint(0, 3), "count": self.chance.randint(1, 3)}
            self.alpaca.control(fault={**(spread if is_counted(fault) else {}), **fault})
        self.count("troubles", kind)

    def calm(self) -> None:
        """End all trouble."""
        self.alpaca.control(clear_faults=True)
        if self.proxy is not None:
            self.proxy.mend()

    def posts(self) -> dict[str, int]:
        """Return how often each order was posted."""
        posts: dict[str, int] = self.alpaca.book()["order_posts"]
        return posts

    def look(self) -> None:
        """Read what is new in the log; wait a little for it."""
        self.watch.look()

    def is_settled(self) -> bool:
        """Tell whether all that was published is over or known to be at the broker, and each act answered."""
        return self.watch.is_settled(self._published, self._asked)

    def await_settled(self, *, is_over: bool = False, within_s: float = SETTLED_S) -> None:
        """Wait until it is, or all is over; meanwhile what ends is started again."""
        deadline = time.monotonic() + within_s
        while not (self.is_settled() and (not is_over or self.watch.is_over())):
            self.look()
            self.revive()
            if time.monotonic() > deadline:
                left = self.watch.left(is_over=is_over)
                left += [f"act {act_id}" for act_id in self._asked - self.watch.answered]
                raise TimeoutError(f"no outcome after {within_s:.0f} s: {left}{self.said()}")

    def finish(self) -> None:
        """Wake whom a fault left frozen, end all trouble, publish the rest; then close the day and stop everybody."""
        self.wake_all()
        self.calm()
        if not self.executors:
            self.start(0)
        self.publish()
        self.await_settled()
        self.alpaca.control(now=AFTER_CLOSE)
        try:
            self.await_settled(is_over=True, within_s=_CLOSE_S)
        except TimeoutError:
            # What was to be sent again waits for the market, and is over in the next session.
            self.count("carried_over")
            self.alpaca.control(now=NEXT_SESSION)
            self.await_settled(is_over=True)
        self.stop_all()

    def close(self) -> None:
        """Kill what is left."""
        self.kill_all()
        self.watch.close()
        if self.proxy is not None:
            self.proxy.refuse()
