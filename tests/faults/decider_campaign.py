"""The decider's campaign: a round is one fault on a log of its own, compared with an undisturbed decider's answers.

Rounds stand alone: a round's seed and number make its fault, its disclosures and its choices. Several are done at the
same time, each in a lane of its own; those that take the broker away go last, alone.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import uuid4

from services.decider.catalogue import available
from services.decider.composition import run
from tests.eventually import eventually
from tests.faults.dealing import Fault, dealt
from tests.faults.decider_checks import Log, answered_too_late, differences, violations_of
from tests.faults.decider_deck import deck
from tests.faults.decider_desk import Group, Lane, alpaca_process, lane, vendor_environment
from tests.faults.decider_publisher import Publisher
from tests.faults.decider_round import Round
from tests.faults.decider_scenarios import disturb
from tests.faults.decider_script import CONGRESS, DAY, INSIDER, Delivery, script
from tests.faults.plain_log import LogReader, new_log
from tests.faults.processes import Tally, clean_environment
from tradetrail.log.kafka import open_admin
from tradetrail.log.topics import Topics
from tradetrail.sessions import session_on_or_before
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

LANES = 2
# Deliveries of a round; each touches three symbols or more.
_DELIVERIES = 14
_UNDISTURBED_S = 120.0
# Each look asks the broker about every partition.
_LOOK_S = 0.2
# Of one round; a lost partition alone would be a hundred lines.
_TOLD_MAX = 12


@dataclass
class Undisturbed:
    """A decider that nobody disturbs, over the same disclosures, in this process; what it left."""

    log: SharedSettings
    script: Sequence[Delivery]
    lane: Lane
    found: Log | None = None

    def run(self) -> None:
        """Publish everything, answer everything, read what is there."""
        Publisher(self.log, self.lane.codec, self.script).publish()
        stop, failures = threading.Event(), list[Exception]()

        def decide() -> None:
            try:
                run(self.log, stop)
            except Exception as error:  # noqa: BLE001 (told by who waits)
                failures.append(error)

        thread, group = threading.Thread(target=decide), Group(self.log)
        thread.start()
        try:
            eventually(
                lambda: failures or group.is_caught_up(), within_s=_UNDISTURBED_S, every_s=_LOOK_S
            )
        finally:
            stop.set()
            thread.join()
            group.close()
        if failures:
            raise failures[0]
        self.found = read(self.log)


def read(log: SharedSettings) -> Log:
    """Return all that is committed in the symbols' topics."""
    unreadable: list[tuple[tuple[str, int], int]] = []
    reader = LogReader(log.kafka, log.registry_url, Topics.of(log).trade(), unreadable)
    return Log(reader.more(), unreadable)


def _strategies() -> dict[str, list[str]]:
    kinds = available()
    return {
        source: [name for name, kind in kinds.items() if source in kind.data_sources]
        for source in (CONGRESS, INSIDER)
    }


def one_round(here: Lane, fault: Fault, seed: int, number: int) -> list[str]:
    """Do one round; return what was violated."""
    began_at = time.monotonic()
    name, deliveries = f"{seed}-{number}-{uuid4().hex[:6]}", script(f"{seed}:{number}", _DELIVERIES)
    logs = [new_log(here.stack, f"{kind}-{name}.", here.codec) for kind in ("disturbed", "calm")]
    undisturbed = Undisturbed(logs[1], deliveries, here)
    done = Round(
        here, number, Random(f"{seed}:{number}:fault"), logs[0], deliveries, undisturbed.run
    )
    disturb(done, fault)
    found = list(done.problems)
    try:
        log = read(logs[0])
        found += violations_of(log, _strategies())
        found += answered_too_late(log, done.woken)
        if undisturbed.found is None:
            found.append("there is nothing to compare with")
        else:
            prefixes = (logs[0].topic_prefix, logs[1].topic_prefix)
            found += differences(log, undisturbed.found, prefixes)
            found += [
                f"undisturbed: {text}" for text in violations_of(undisturbed.found, _strategies())
            ]
        here.tally.count("answers", times=len(log.answers()))
    except Exception as error:  # noqa: BLE001 (a log that can't be read is a finding as well)
        found.append(f"the log could not be judged: {error!r}")
    here.tally.count("rounds")
    _forget(logs)
    told = _told(found, fault, seed, number)
    took_s = time.monotonic() - began_at
    sys.stderr.write(f"round {number} {fault.name}: {took_s:.1f} s, {len(found)} violations\n")
    sys.stderr.writelines(f"    {text}\n" for text in told)
    sys.stderr.flush()
    return told


def _told(found: Sequence[str], fault: Fault, seed: int, number: int) -> list[str]:
    """Return the first violations of a round, and how to do it again."""
    if not found:
        return []
    where = f"seed {seed}, round {number}, {fault.name}"
    left = len(found) - _TOLD_MAX
    again = f"--only decider --seed {seed} --round {number} --fault '{fault.name}'"
    return [
        *(f"{where}: {text}" for text in found[:_TOLD_MAX]),
        *([f"{where}: and {left} more"] if left > 0 else []),
        f'{where}: once more with make faults ARGS="{again}"',
    ]


def _forget(logs: Sequence[SharedSettings]) -> None:
    """Delete the topics of a round: thousands of partitions make a broker slow."""
    admin = open_admin(logs[0])
    names = [name for log in logs for name in Topics.of(log).all()]
    for answer in admin.delete_topics(names).values():
        answer.exception()


@contextmanager
def _environment(alpaca: str) -> Iterator[None]:
    """Let this process's own decider find the vendor that nobody disturbs, and no setting of anybody else's."""
    before = dict(os.environ)
    after = clean_environment() | vendor_environment(alpaca)
    try:
        os.environ.clear()
        os.environ.update(after)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_campaign(
    home: Path, rounds: int, seed: int, wanted: Sequence[Fault] = (), only_round: int | None = None
) -> Tally:
    """Do so many rounds of the faults ``wanted``, else of the whole deck, or one of them; progress on stderr."""
    tally = Tally()
    # The calendar is made once, and not by two lanes at the same moment: what it hides of its libraries' warnings is
    # hidden from the whole process.
    session_on_or_before(DAY)
    with ExitStack() as held:
        stack = held.enter_context(LocalStack(home / "stack", ("kafka", "registry")))
        # A broker that is not ours (``TRADETRAIL_KAFKA`` names it) is left alone.
        is_ours = stack.part("kafka").pid is not None
        held.enter_context(_environment(held.enter_context(alpaca_process(home / "alpaca.log"))))
        cards = dealt(
            Random(seed), max(rounds, only_round or 0), wanted or deck(), as_given=bool(wanted)
        )
        todo = [
            (number, fault)
            for number, fault in enumerate(cards, 1)
            if only_round in (None, number) and (is_ours or not fault.is_broker)
        ]
        lanes = [
            held.enter_context(lane(stack, home, str(n), tally))
            for n in range(min(LANES, len(todo)))
        ]
        together = [(number, fault) for number, fault in todo if not fault.is_alone]
        _in_lanes(lanes, together, seed, tally)
        alone = [(number, fault) for number, fault in todo if fault.is_alone]
        _in_lanes(lanes[:1], alone, seed, tally)
    disturbances = ("kills", "freezes", "sigterms", "joins", "leaves", "vendor_troubles")
    if not any(tally.done[name] for name in (*disturbances, "broker_restarts", "registry_cuts")):
        tally.violations.append(f"seed {seed}: nothing was disturbed, so nothing was proven")
    return tally


def _in_lanes(
    lanes: Sequence[Lane], todo: Sequence[tuple[int, Fault]], seed: int, tally: Tally
) -> None:
    left, lock = list(todo), threading.Lock()

    def work(here: Lane) -> None:
        while True:
            with lock:
                if not left:
                    return
                number, fault = left.pop(0)
            try:
                found = one_round(here, fault, seed, number)
            except Exception as error:  # noqa: BLE001 (told, and the campaign goes on)
                found = [f"seed {seed}, round {number}, {fault.name}: it broke off: {error!r}"]
            with lock:
                tally.violations += found

    threads = [threading.Thread(target=work, args=(here,)) for here in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
