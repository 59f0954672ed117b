"""The ingestor's campaign: morning by morning the vendor goes on, a fault strikes each source, the log is judged.

Two data sources are disturbed at the same time, unless a fault reaches into both: that one goes first, alone. The same
tasks run undisturbed over the same vendor into a log of their own, with which the disturbed one is compared.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from datetime import time as time_of_day
from pathlib import Path
from random import Random
from uuid import uuid4

from services.ingestor.runs.backfill import backfill
from tests.faults.dealing import Fault, dealt
from tests.faults.ingestor_checks import (
    broken_claims,
    differences,
    lost_or_invented,
    newest_contents,
    violations_of,
)
from tests.faults.ingestor_deck import deck
from tests.faults.ingestor_desk import Desk, Lane
from tests.faults.ingestor_scenarios import disturb
from tests.faults.ingestor_vendor import Served, vendor_process
from tests.faults.plain_log import LogReader, Seen, new_log
from tests.faults.processes import Tally
from tests.integration.ingestor_harness import Ingestor
from tradetrail.errors import Retryable
from tradetrail.events.generated import DisclosureRecorded
from tradetrail.sessions import new_york
from tradetrail.stack.local import LocalStack

CONGRESS, INSIDER, SEATS = (
    "quiverquant_congress",
    "quiverquant_insider",
    "congress_legislators_committees",
)
FIRST_DAY = date(2024, 1, 3)
# A run without a window looks back so many days at least: what the vendor serves of them must be in the log.
WINDOW_DAYS = 7
# One morning in so many disturbs the committee seats instead of the insiders.
_SEATS_EVERY = 5
_DAYS_MAX = 3
# A broker that comes back makes a process or two fail; more would be a defect.
_ATTEMPTS_AFTER_BROKER = 4
# Of one morning; a lost run alone would be a hundred lines.
_TOLD_MAX = 12


@dataclass
class Campaign:
    """One campaign under way."""

    desk: Desk
    reference: Ingestor
    reader: LogReader
    reference_reader: LogReader
    chance: Random
    log: list[Seen] = field(default_factory=list)
    reference_log: list[Seen] = field(default_factory=list)
    ever_served: dict[str, Counter[str]] = field(default_factory=dict)
    day: date = FIRST_DAY
    rounds: int = 0
    told: set[str] = field(default_factory=set)

    def morning(self, faults: Sequence[Fault]) -> list[str]:
        """Let a day or several pass, disturb a data source with each of one or two faults; return what was violated."""
        desk, number = self.desk, self.rounds + 1
        self.day += timedelta(days=self.chance.randint(1, _DAYS_MAX))
        desk.vendor.move(new_york(self.day, time_of_day(7, 0)))
        congress = desk.vendor.congress()
        desk.vendor.stir(self.chance, congress, self.day - timedelta(days=WINDOW_DAYS - 1))
        second = SEATS if self.chance.randrange(_SEATS_EVERY) == 0 else INSIDER
        lanes = [
            Lane(desk, source, number + place, Random(self.chance.random()))
            for place, source in zip(range(len(faults)), (CONGRESS, second), strict=False)
        ]
        self.rounds += len(faults)
        self._disturb(lanes, faults)
        found = [problem for lane in lanes for problem in lane.problems]
        try:
            self._go_undisturbed([lane.task for lane in lanes])
            found += self._judge([lane.source for lane in lanes])
        except Exception as error:  # noqa: BLE001 (a log that can't be read is a finding as well)
            found.append(f"the log could not be judged: {error!r}")
        desk.claims.clear()
        did = ", ".join(
            f"{lane.round} {lane.source}: {fault.name}"
            for lane, fault in zip(lanes, faults, strict=True)
        )
        return self._new(found, f"round {did} ({self.day})")

    def last(self) -> list[str]:
        """Fetch all the walked days anew, whose late corrections no window met; return what was violated."""
        days = ("--from", FIRST_DAY.isoformat(), "--to", self.day.isoformat())
        found = []
        tasks = [Lane(self.desk, source, 0, self.chance).task for source in (CONGRESS, INSIDER)]
        processes = [
            self.desk.start(f"last-{task[11:]}", ("--once", task, *days)) for task in tasks
        ]
        for task in tasks:
            outcome = backfill(self.reference.parts, task, FIRST_DAY, self.day)
            if outcome.error is not None:
                found.append(f"undisturbed, {task} failed: {outcome.error}")
        for process in processes:
            if (code := process.wait()) != 0:
                found.append(f"{process.name} ends with exit code {code}: {process.said()}")
        found += self._judge([CONGRESS, INSIDER], FIRST_DAY)
        if not any(isinstance(seen.event, DisclosureRecorded) for seen in self.log):
            found.append("nothing was delivered, so nothing was proven")
        return self._new(found, f"at the end ({self.day})")

    def _new(self, found: Sequence[str], where: str) -> list[str]:
        """Return what was not told before: the log is judged whole each time."""
        new = [text for text in found if text not in self.told]
        self.told.update(new)
        left = len(new) - _TOLD_MAX
        return [f"{where}: {text}" for text in new[:_TOLD_MAX]] + (
            [f"{where}: and {left} more"] if left > 0 else []
        )

    def _disturb(self, lanes: Sequence[Lane], faults: Sequence[Fault]) -> None:
        pairs = sorted(zip(lanes, faults, strict=True), key=lambda pair: not pair[1].is_alone)
        if any(fault.is_alone for fault in faults):
            for lane, fault in pairs:
                lane.attempts_max = _ATTEMPTS_AFTER_BROKER if fault.is_broker else 1
                disturb(lane, fault)
            return
        threads = [threading.Thread(target=disturb, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _go_undisturbed(self, tasks: Sequence[str]) -> None:
        for task in tasks:
            for attempt in range(_ATTEMPTS_AFTER_BROKER):
                try:
                    outcome = self.reference.run(task)
                    if outcome.error is None:
                        break
                    raise Retryable(f"the undisturbed run failed: {outcome.error}")
                except Retryable:
                    # Its connections outlived a restart of the broker.
                    if attempt + 1 == _ATTEMPTS_AFTER_BROKER:
                        raise

    def _judge(self, sources: Sequence[str], start: date | None = None) -> list[str]:
        self.log += self.reader.more()
        self.reference_log += self.reference_reader.more()
        start = start or self.day - timedelta(days=WINDOW_DAYS)
        now = Served(self.desk.vendor)
        for source, contents in now.within(date.min, date.max).items():
            self.ever_served[source] = self.ever_served.get(source, Counter()) | contents
        served = now.within(start, self.day)
        told = newest_contents(self.log, start, self.day)
        found = violations_of(self.log)
        for source in set(sources) & served.keys():
            found += lost_or_invented(
                source, told.get(source, Counter()), served[source], self.ever_served[source]
            )
        found += differences(self.log, self.reference_log)
        return found + broken_claims(self.log, self.desk.claims)


def run_campaign(home: Path, rounds: int, seed: int, wanted: Sequence[Fault] = ()) -> Tally:
    """Do so many rounds of the faults ``wanted``, else of the whole deck, and tell how it went; progress on stderr."""
    chance = Random(seed)
    mornings = rounds // 2 + 2
    with ExitStack() as held:
        stack = held.enter_context(LocalStack(home / "stack", ("kafka", "registry")))
        vendor = held.enter_context(
            vendor_process(
                home, seed, FIRST_DAY, FIRST_DAY + timedelta(days=_DAYS_MAX * mornings + 10)
            )
        )
        # A server that somebody named in the environment may hold the logs of other campaigns.
        name = uuid4().hex[:8]
        logs = [new_log(stack, f"{kind}-{name}.") for kind in ("disturbed", "undisturbed")]
        desk = Desk(stack, logs[0], vendor, home)
        reference = Ingestor(logs[1], vendor)
        held.callback(reference.close)
        readers = [
            LogReader(log.kafka, log.registry_url, Desk(stack, log, vendor, home).topics())
            for log in logs
        ]
        campaign = Campaign(desk, reference, readers[0], readers[1], chance)
        # A broker that is not ours (``TRADETRAIL_KAFKA`` names it) is left alone.
        is_ours = stack.part("kafka").pid is not None
        cards = [fault for fault in wanted or deck() if is_ours or not fault.is_broker]
        left = dealt(chance, rounds, cards, as_given=bool(wanted))
        tally = desk.tally
        while left:
            began_at = time.monotonic()
            faults, left = left[:2], left[2:]
            found = campaign.morning(faults)
            tally.violations += [f"seed {seed}: {text}" for text in found]
            sys.stderr.write(
                f"{campaign.rounds}/{rounds} {campaign.day} {' | '.join(f.name for f in faults)}: "
                f"{time.monotonic() - began_at:.1f} s, {len(found)} violations\n"
            )
            sys.stderr.flush()
        tally.violations += [f"seed {seed}: {text}" for text in campaign.last()]
        tally.done["rounds"] = campaign.rounds
        tally.done["events"] = len(campaign.log)
        tally.done["records"] = sum(isinstance(s.event, DisclosureRecorded) for s in campaign.log)
    if not tally.done["kills"]:
        tally.violations.append(f"seed {seed}: nothing was killed, so nothing was proven")
    return tally
