"""The auditor's campaign: a round is one fault on a log and a database of its own, judged by both.

Rounds stand alone: a round's seed and number make its fault, its events and its choices. Several are done at the same
time, each on a Postgres of its own; those that take Kafka away go last, alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random
from uuid import uuid4

import psycopg

from tests.faults.auditor_checks import audited, row_violations, violations_of
from tests.faults.auditor_deck import deck
from tests.faults.auditor_desk import DISTURBED, UNBROKEN, Lane, lane
from tests.faults.auditor_log import read_log
from tests.faults.auditor_publisher import Publisher
from tests.faults.auditor_round import Round
from tests.faults.auditor_scenarios import disturb
from tests.faults.auditor_unbroken import write_unbroken
from tests.faults.dealing import Fault
from tests.faults.nursery import nursery
from tests.faults.plain_log import new_log
from tests.faults.processes import Tally
from tests.faults.rounds import (
    dealt_rounds,
    demand_disturbed,
    forget,
    progress,
    together_then_alone,
    told,
)
from tradetrail.log.topics import Topics
from tradetrail.stack.local import LocalStack

# A round mostly waits: for a dead member's 6 s, for a frozen one's locks, for an auditor to call itself not ready.
LANES = 3
_DISTURBANCES = (
    *("kills", "freezes", "sigterms", "joins", "leaves", "outages", "sessions_ended"),
    *("network_troubles", "deadlocks", "locks_held", "full_disks", "errors_raised"),
    *("set_back", "months_back", "broker_kills", "broker_restarts"),
)


def one_round(here: Lane, fault: Fault, number: int, seed: int) -> list[str]:
    """Do one round; return what was violated."""
    began_at = time.monotonic()
    token = uuid4().hex[:6]
    log = new_log(here.stack, f"audited-{seed}-{number}-{token}.", here.codec)
    database = f"round_{number}_{token}"
    here.new_database(database)
    publisher = Publisher(log, here.codec, f"{seed}-{number}")
    done = Round(here, number, Random(f"{seed}:{number}:fault"), log, database, publisher)
    disturb(done, fault)
    found = list(done.problems)
    try:
        found += _judged(here, done)
    except Exception as error:  # noqa: BLE001 (a log that can't be read is a finding as well)
        found.append(f"the database could not be judged: {error!r}")
    here.tally.count("rounds")
    forget([log])
    here.drop_database(database)
    lines = told("auditor", found, fault, seed, number)
    progress(number, fault, began_at, lines)
    return lines


def _judged(here: Lane, done: Round) -> list[str]:
    log = read_log(done.log.kafka, Topics.of(done.log).all())
    dsn = here.postgres.dsn(done.database)
    write_unbroken(log, done.log, dsn, UNBROKEN)
    with psycopg.connect(dsn) as connection:
        stored = audited(connection, DISTURBED)
        differing = row_violations(connection, DISTURBED, UNBROKEN)
    here.tally.count("events", times=sum(len(found) for found in log.messages.values()))
    here.tally.count("dead_letters", times=len(stored.letters))
    return [
        *violations_of(log, stored, done.publisher.poison),
        *differing,
    ]


def run_campaign(
    home: Path,
    rounds: int,
    seed: int,
    wanted: Sequence[Fault] = (),
    first: int = 1,
) -> Tally:
    """Do the rounds ``first`` to ``rounds`` of the faults ``wanted``, else of the whole deck; progress on stderr."""
    tally = Tally()
    with ExitStack() as held:
        stack = held.enter_context(LocalStack(home / "stack", ("kafka", "registry")))
        todo = dealt_rounds(
            stack, seed, rounds, wanted or deck(), as_given=bool(wanted), first=first
        )
        born_in = held.enter_context(nursery("services.auditor"))
        lanes = [
            held.enter_context(lane(stack, born_in, home, tally))
            for _ in range(min(LANES, len(todo)))
        ]
        together_then_alone(lanes, todo, partial(one_round, seed=seed), seed, tally)
    demand_disturbed(tally, seed, _DISTURBANCES)
    return tally
