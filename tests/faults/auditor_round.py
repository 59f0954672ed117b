"""One round of the auditor's campaign: its log, its database, its auditors, and what goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, LiteralString

import psutil
import requests

from tests.faults.auditor_desk import Lane, environment
from tests.faults.auditor_log import ends_of, places, plain_consumer
from tests.faults.auditor_postgres import LOGIN
from tests.faults.auditor_publisher import Publisher
from tests.faults.auditor_wire import Wire
from tests.faults.members import KILLED, Members
from tests.faults.processes import Process
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# Without any progress towards the end of the log: a dead member's 6 s, a frozen one's 15 s with its locks, 60 s of a
# statement, starts on two busy cores. Also for anything else that must come.
PATIENCE_S = 300.0
# Lots until who was to be struck must have come to its step.
_LOTS_MAX = 12
_LOOK_EVERY_S = 0.1
# Part of the rounds whose log has gaps, where transactions were aborted or ended.
_WITH_GAPS = 0.3
# One auditor's resident memory, whatever happens.
RSS_BYTES_MAX = 300 << 20
_SESSIONS: LiteralString = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name <> 'campaign'"
)


@dataclass
class Round(Members):
    """One fault on a log and a database of its own."""

    lane: Lane
    number: int
    chance: Random
    log: SharedSettings
    database: str
    publisher: Publisher
    problems: list[str] = field(default_factory=list)
    auditors: dict[int, Process] = field(default_factory=dict)
    wires: dict[int, Wire] = field(default_factory=dict)
    rss_bytes_max: int = 0
    may_end: bool = False
    """Whether an auditor may end by itself, because Kafka was away when it started."""
    _all: list[Process] = field(default_factory=list)
    _revivals: int = 0

    def __post_init__(self) -> None:
        """Open the connection that the round needs."""
        self._consumer = plain_consumer(self.log.kafka)
        self._places = places(self._consumer, Topics.of(self.log).all())

    def begin(self, auditors: int = 0, *, die_at: str = "") -> Process:
        """Publish two lots, start so many auditors (0: one to three); the first one, which is returned, dies so."""
        self.publisher.publish()
        self.publisher.publish()
        if self.chance.random() < _WITH_GAPS:
            self.publisher.publish_aborted()
        victim = self.start(0, die_at)
        for slot in range(1, auditors or self.chance.randint(1, 3)):
            self.start(slot)
        return victim

    def start(self, slot: int, die_at: str = "") -> Process:
        """Start the auditor of a slot, behind that slot's wire."""
        if slot not in self.wires:
            self.wires[slot] = Wire(self.lane.postgres.port)
        name = f"a{self.number}-{slot}-{len(self._all) + 1}"
        dsn = self.lane.postgres.dsn(self.database, LOGIN, self.wires[slot].port)
        env = environment(self.log, dsn, name, die_at)
        return self.born(slot, name, "services.auditor", env)

    @property
    def members(self) -> dict[int, Process]:
        """Return the auditors."""
        return self.auditors

    def any_slot(self) -> int:
        """Return one of the slots."""
        return self.chance.choice(sorted(self.auditors))

    def await_struck(self, victim: Process) -> bool:
        """Wait until it died or froze, publishing meanwhile; False when it never came there."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if victim.is_struck():
                return True
            time.sleep(_LOOK_EVERY_S)
            if not self.behind():
                if self.publisher.lots == _LOTS_MAX:
                    self.count("missed")
                    return False
                self.publisher.publish()
        raise TimeoutError(f"{victim.name} was not struck; it said: {victim.said()}")

    def await_true(self, what: str, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited in vain: {what}{self.said()}")
            time.sleep(_LOOK_EVERY_S)

    def behind(self) -> dict[str, tuple[int, int]]:
        """Return where the database is not at the log's end: position and end."""
        rows = self.rows("SELECT topic, partition, next_offset FROM audit.positions")
        at = {(topic, partition): offset for topic, partition, offset in rows}
        ends = ends_of(self._consumer, self._places)
        return {
            f"{topic}/{partition}": (at.get((topic, partition), 0), end)
            for (topic, partition), end in ends.items()
            if at.get((topic, partition), 0) != end
        }

    def await_caught_up(self) -> None:
        """Wait until the database is at the log's end; meanwhile what ends is started again."""
        deadline, before = time.monotonic() + PATIENCE_S, None
        while left := self.behind():
            self.revive()
            self.weigh()
            if left != before:
                deadline, before = time.monotonic() + PATIENCE_S, left
            if time.monotonic() > deadline:
                raise TimeoutError(f"no progress for {PATIENCE_S:.0f} s: {left}{self.said()}")
            time.sleep(_LOOK_EVERY_S)

    def health(self, slot: int) -> int:
        """Return the status that an auditor answers when asked for its health; 0 when it does not answer."""
        port = next(
            (
                json.loads(line)["port"]
                for line in self.auditors[slot].log.read_text().splitlines()
                if '"answering"' in line and line.endswith("}")
            ),
            None,
        )
        if port is None:
            return 0
        try:
            return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code
        except requests.RequestException:
            return 0

    def await_red(self, slots: list[int] | None = None) -> None:
        """Publish, and wait until one of the auditors calls itself not ready: an outage ends after that only."""
        self.publisher.publish()
        wanted = sorted(self.auditors) if slots is None else slots
        self.await_true(
            "an auditor calls itself not ready", lambda: any(self.health(s) == 503 for s in wanted)
        )
        self.count("reds")

    def await_green(self) -> None:
        """Wait until every auditor calls itself ready."""
        self.await_true(
            "all auditors call themselves ready",
            lambda: all(self.health(slot) == 200 for slot in self.auditors),
        )

    def ended(self, process: Process, code: int) -> None:
        """Note that an auditor ended unasked."""
        if code != KILLED:
            self.count("ended_by_themselves")
            if not (self.may_end and code == 3):
                self.problem(f"{process.name} ended by itself with exit code {code}", process)

    def weigh(self) -> None:
        """Note the most memory that an auditor holds."""
        for process in self.auditors.values():
            with suppress(psutil.NoSuchProcess):
                held = psutil.Process(process.pid).memory_info().rss
                self.rss_bytes_max = max(self.rss_bytes_max, held)

    def finish(self) -> None:
        """End what was done, publish a last lot, let all be audited, and stop everybody."""
        self.wake_all()
        for wire in self.wires.values():
            wire.mend()
        self.revive()
        if not self.auditors:
            self.start(0)
        self.publisher.publish()
        self.await_caught_up()
        self.await_green()
        # Its own dead letters and configurations came meanwhile.
        self.await_caught_up()
        self.weigh()
        self.stop_all()
        self.await_true("their sessions are gone", lambda: self.rows(_SESSIONS) == [(0,)])
        if self.rss_bytes_max > RSS_BYTES_MAX:
            self.problem(f"an auditor held {self.rss_bytes_max >> 20} MB")

    def close(self) -> None:
        """Kill what is left."""
        self.kill_all()
        for wire in self.wires.values():
            wire.close()
        self._consumer.close()

    def rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Return what the owner of the database gets for a query."""
        return self.lane.postgres.rows(self.database, query, *values)
