"""The decider's campaign: a round is one fault on a log of its own, compared with an undisturbed decider's answers.

Rounds stand alone: a round's seed and number make its fault, its disclosures and its choices. Several are done at the
same time, each in a lane of its own; those that take the broker away go last, alone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from uuid import uuid4

from services.decider.catalogue import available
from services.decider.composition import run
from tests.eventually import eventually
from tests.faults.dealing import Fault
from tests.faults.decider_checks import Log, answered_too_late, differences, violations_of
from tests.faults.decider_deck import deck
from tests.faults.decider_desk import Group, Lane, alpaca_process, lane, vendor_environment
from tests.faults.decider_publisher import Publisher
from tests.faults.decider_round import Round
from tests.faults.decider_scenarios import disturb
from tests.faults.decider_script import CONGRESS, DAY, INSIDER, Delivery, script
from tests.faults.nursery import nursery
from tests.faults.plain_log import LogReader, new_log
from tests.faults.processes import Tally, clean_environment
from tests.faults.rounds import (
    dealt_rounds,
    demand_disturbed,
    forget,
    progress,
    together_then_alone,
    told,
)
from tradetrail.log.topics import Topics
from tradetrail.sessions import session_on_or_before
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

LANES = 2
# Deliveries of a round; each touches three symbols or more.
_DELIVERIES = 14
_UNDISTURBED_S = 300.0
# Each look asks the broker about every partition.
_LOOK_S = 0.2


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


def one_round(here: Lane, fault: Fault, number: int, seed: int) -> list[str]:
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
    forget(logs)
    lines = told("decider", found, fault, seed, number)
    progress(number, fault, began_at, lines)
    return lines


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
    home: Path, rounds: int, seed: int, wanted: Sequence[Fault] = (), first: int = 1
) -> Tally:
    """Do the rounds ``first`` to ``rounds`` of the faults ``wanted``, else of the whole deck; progress on stderr."""
    tally = Tally()
    # The calendar is made once, and not by two lanes at the same moment: what it hides of its libraries' warnings is
    # hidden from the whole process.
    session_on_or_before(DAY)
    with ExitStack() as held:
        stack = held.enter_context(LocalStack(home / "stack", ("kafka", "registry")))
        held.enter_context(_environment(held.enter_context(alpaca_process(home / "alpaca.log"))))
        todo = dealt_rounds(
            stack, seed, rounds, wanted or deck(), as_given=bool(wanted), first=first
        )
        born_in = held.enter_context(nursery("services.decider"))
        lanes = [
            held.enter_context(lane(stack, born_in, home, str(n), tally))
            for n in range(min(LANES, len(todo)))
        ]
        together_then_alone(lanes, todo, partial(one_round, seed=seed), seed, tally)
    disturbances = ("kills", "freezes", "sigterms", "joins", "leaves", "vendor_troubles")
    demand_disturbed(tally, seed, (*disturbances, "broker_restarts", "registry_cuts"))
    return tally
