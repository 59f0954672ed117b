"""The executor's campaign: a round is one fault on a log and an account of its own, judged by both.

Rounds stand alone: a round's seed and number make its fault, its decisions and its choices. Several are done at the
same time; those that take Kafka away go last, alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from uuid import uuid4

from tests.contract.alpaca_client import stop
from tests.faults.dealing import Fault
from tests.faults.executor_audit import audited
from tests.faults.executor_audit import violations_of as audit_violations
from tests.faults.executor_book_checks import Account, Limits
from tests.faults.executor_book_checks import violations_of as book_violations
from tests.faults.executor_checks import done_too_late, stories, violations_of
from tests.faults.executor_deck import deck
from tests.faults.executor_desk import Lane, lane
from tests.faults.executor_round import Round
from tests.faults.executor_scenarios import disturb
from tests.faults.executor_script import GROUPS, HELD, IN_SESSION, PRICES, REFUSED, script
from tests.faults.nursery import nursery
from tests.faults.plain_log import LogReader, new_log
from tests.faults.processes import Tally
from tests.faults.rounds import (
    dealt_rounds,
    demand_disturbed,
    forget,
    progress,
    together_then_alone,
    told,
)
from tradetrail.events.generated import DecisionMade, OrderSubmitting
from tradetrail.log.topics import Topics
from tradetrail.stack.local import LocalStack

# An auditor and a schema of its own cost more than the round.
AUDITED_EVERY = 8
# A round mostly waits: for a dead member's 6 s, for look-ups, for a start.
LANES = 6
_STARTING = {symbol: Decimal(qty) for symbol, (qty, _) in HELD.items()}
_PRICES = {symbol: Decimal(now) for symbol, (now, *_) in PRICES.items()} | {
    symbol: Decimal(price) for symbol, price in REFUSED.items()
}


def one_round(here: Lane, fault: Fault, number: int, seed: int, audited_every: int) -> list[str]:
    """Do one round; return what was violated. Each ``audited_every``-th is held against an audit database as well."""
    began_at = time.monotonic()
    decided = script(f"{seed}:{number}")
    log = new_log(here.stack, f"executed-{seed}-{number}-{uuid4().hex[:6]}.", here.codec, GROUPS)
    alpaca = here.open_account(now=IN_SESSION)
    try:
        alpaca.control(account=decided.account())
        chance = Random(f"{seed}:{number}:fault")
        done = Round(here, number, chance, log, decided, alpaca)
        disturb(done, fault)
        found = list(done.problems)
        try:
            found += _judged(here, done, is_audited=number % audited_every == 0)
        except Exception as error:  # noqa: BLE001 (a log that can't be read is a finding as well)
            found.append(f"the log could not be judged: {error!r}")
    finally:
        stop(alpaca)
    here.tally.count("rounds")
    forget([log])
    lines = told("executor", found, fault, seed, number)
    progress(number, fault, began_at, lines)
    return lines


def _judged(here: Lane, done: Round, *, is_audited: bool) -> list[str]:
    log, settings = done.log, done.script.settings
    seen = LogReader(log.kafka, log.registry_url, Topics.of(log).trade()).more()
    account = Account(
        book=done.alpaca.book(),
        held=_STARTING,
        limits=Limits(
            Decimal(settings["DAILY_NOTIONAL_USD_MAX"]),
            int(settings["DAILY_ORDER_COUNT_MAX"]),
            Decimal(settings["POSITION_USD_MAX"]),
        ),
        prices=_PRICES,
        hides=done.hides,
        forbidden=done.forbidden,
        quiet=done.quiet,
    )
    found = violations_of(seen, [each.decision_id for each in done.script.decisions])
    found += book_violations(seen, account)
    found += done_too_late(seen, done.woken)
    if is_audited:
        database = audited(log, here.stack.addresses.postgres_dsn)
        found += audit_violations(stories(seen), database)
        here.tally.count("audited_rounds")
    for kind, what in ((DecisionMade, "decisions"), (OrderSubmitting, "intents")):
        here.tally.count(what, times=sum(isinstance(s.event, kind) for s in seen))
    here.tally.count("orders", times=len(account.book["orders"]))
    here.tally.count("fills", times=len(account.book["fills"]))
    here.tally.count("posts", times=sum(account.book["order_posts"].values()))
    return found


def run_campaign(
    home: Path,
    rounds: int,
    seed: int,
    wanted: Sequence[Fault] = (),
    first: int = 1,
    audited_every: int = AUDITED_EVERY,
) -> Tally:
    """Do the rounds ``first`` to ``rounds`` of the faults ``wanted``, else of the whole deck; progress on stderr."""
    tally = Tally()
    with ExitStack() as held:
        stack = held.enter_context(LocalStack(home / "stack", ("kafka", "registry", "postgres")))
        todo = dealt_rounds(
            stack, seed, rounds, wanted or deck(), as_given=bool(wanted), first=first
        )
        born_in = held.enter_context(nursery("services.executor"))
        lanes = [
            held.enter_context(lane(stack, born_in, home, tally))
            for _ in range(min(LANES, len(todo)))
        ]
        do = partial(one_round, seed=seed, audited_every=audited_every)
        together_then_alone(lanes, todo, do, seed, tally)
    disturbances = ("kills", "freezes", "sigterms", "takeovers", "troubles", "acts")
    demand_disturbed(tally, seed, (*disturbances, "broker_restarts"))
    return tally
