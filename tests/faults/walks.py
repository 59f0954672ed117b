"""Walks of the demo with services killed on the way, and what must come out all the same.

The oracle reads the log, the audit database and the simulated broker's own book: the reports of every symbol equal
those of an undisturbed walk, every event of the log is in the database once, no order is at the broker twice, and the
account's cash is what its fills make of it.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import requests

from tests.eventually import eventually
from tradetrail.demo.plan import CASH_USD, Plan
from tradetrail.demo.run import demo_stack, walk
from tradetrail.errors import TradetrailError
from tradetrail.events.generated import ConfigurationRecorded, ExecutorActivated
from tradetrail.log.codec import Codec
from tradetrail.log.reader import read_all
from tradetrail.log.topics import Topics
from tradetrail.reports.connection import DatabaseSettings, open_reader
from tradetrail.reports.counts import audited_positions, event_counts, symbols
from tradetrail.reports.symbol import symbol_report
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

SERVICES = ("ingestor", "decider", "executor", "auditor")
# Two weeks of a seeded world: every kind of outcome, in about a minute.
PLAN = Plan(None, 1, date(2024, 1, 2), date(2024, 1, 12), "AAPL", CASH_USD)
# Between two kills: long enough for most restarts, short enough that some hit a service while it starts.
KILL_EVERY_S = (0.5, 6.0)
TIMEOUT_S = 60


@dataclass
class Outcome:
    """What a walk left behind. ``reports``: symbol → report without what may differ from
    walk to walk; ``orders``: what the broker's book holds, as id, symbol, side and filled quantity."""

    reports: dict[str, Any]
    orders: list[tuple[str, str, str, str]]
    violations: list[str]
    kills: list[str] = field(default_factory=list)


def walked(
    plan: Plan = PLAN,
    *,
    victims: Sequence[str] = (),
    kills: int = 0,
    kills_min: int = 0,
    seed: int = 0,
) -> Outcome:
    """Walk ``plan``, killing services among ``victims`` at most ``kills`` times, and collect what came of it.

    The last day waits for ``kills_min`` of them, however fast the days before went by.
    """
    with demo_stack(plan) as stack:
        with killing(stack, victims, kills, seed) as done:

            def wait_for_kills(_day: date, left: int) -> None:
                if left == 1:
                    eventually(lambda: len(done) >= kills_min)

            walk(plan, stack, wait_for_kills)
        outcome = collected(plan, stack)
        outcome.kills = done
        return outcome


@contextmanager
def killing(
    stack: LocalStack, victims: Sequence[str], kills: int, seed: int
) -> Iterator[list[str]]:
    """Send SIGKILL to services from a thread while the body runs; yield the list of those killed."""
    chance, stop, done = random.Random(seed), threading.Event(), list[str]()

    def run() -> None:
        while len(done) < kills and not stop.wait(chance.uniform(*KILL_EVERY_S)):
            name = chance.choice(list(victims))
            try:
                stack.kill_part(name)
            except TradetrailError:
                # It is just being restarted: there is nothing to kill.
                continue
            done.append(name)

    thread = threading.Thread(target=run, daemon=True)
    if kills:
        thread.start()
    try:
        yield done
    finally:
        stop.set()
        if kills:
            thread.join(TIMEOUT_S)


def collected(plan: Plan, stack: LocalStack) -> Outcome:
    """Read reports and check the oracle's invariants."""
    env = stack.env()
    with open_reader(
        env["TRADETRAIL_POSTGRES_DSN"], DatabaseSettings().postgres_schema
    ) as database:
        reports = {
            row["symbol"]: comparable(symbol_report(database, row["symbol"], plan.start, plan.end))
            for row in symbols(database)
        }
        audited = sum(event_counts(database).values())
        positions = audited_positions(database)
    settings = SharedSettings(
        kafka=env["TRADETRAIL_KAFKA"], registry_url=env["TRADETRAIL_REGISTRY_URL"]
    )
    violations = log_violations(settings, audited, positions)
    book = requests.get(f"{env['TRADETRAIL_ALPACA_URL']}/control", timeout=TIMEOUT_S).json()
    orders = [
        (o["client_order_id"], o["symbol"], o["side"], o["filled_qty"]) for o in book["orders"]
    ]
    return Outcome(reports, sorted(orders), violations + book_violations(plan, book, reports))


def comparable(value: Any) -> Any:
    """Return a report without what a crash may rightly change: append times, run ids, and what names a run."""
    dropped = {
        "available_at",
        "ingestion_run_id",
        "data_lineage",
        "run_id",
        "batch_id",
        "api_call_ids",
    }
    moved = {"offset", "partition", "view_through"}
    if isinstance(value, Mapping):
        return {k: comparable(v) for k, v in value.items() if k not in dropped | moved}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return value


def log_violations(settings: SharedSettings, audited: int, positions: dict[str, int]) -> list[str]:
    """Return where the database differs from the log in number, and what the log holds twice."""
    codec = Codec(settings.registry_url)
    seen: Counter[tuple[str, str]] = Counter()
    last: dict[str, int] = {}
    for message in read_all(settings, Topics.of(settings).all()):
        last[f"{message.topic}/{message.partition}"] = message.offset
        # A state topic's tombstones have no body.
        type_name, event_id = ("", f"{message.topic}{message.offset}")
        if message.value is not None:
            type_name, envelope = codec.envelope(message.value)
            event_id = envelope["event_id"]
        seen[(type_name, event_id)] += 1
    found = []
    if seen.total() != audited:
        found.append(f"the log holds {seen.total()} events, the database {audited}")
    behind = {place: offset for place, offset in last.items() if positions.get(place, 0) <= offset}
    found += [f"{place}/{offset} is not audited" for place, offset in behind.items()]
    # A service records its configuration at each start, an executor that it took over: the same fact again.
    repeatable = {ConfigurationRecorded.TYPE, ExecutorActivated.TYPE}
    return found + [
        f"{type_name} {event_id} is in the log {count} times"
        for (type_name, event_id), count in seen.items()
        if count > 1 and type_name not in repeatable
    ]


def book_violations(plan: Plan, book: dict[str, Any], reports: dict[str, Any]) -> list[str]:
    """Return where the broker's book contradicts itself or the reports."""
    found = [f"order {name} was posted with two bodies" for name in book["changed_order_posts"]]
    cash = plan.cash_usd
    for fill in book["fills"]:
        amount = Decimal(fill["qty"]) * Decimal(fill["price"])
        cash += amount if fill["side"] == "sell" else -amount
    if cash != Decimal(book["account"]["cash"]):
        found.append(f"cash is {book['account']['cash']}, the fills make it {cash}")
    executed = sum(
        1 for r in reports.values() for d in r["decisions_made"] if d["status"] == "executed"
    )
    filled = sum(1 for o in book["orders"] if o["status"] == "filled")
    in_period = sum(len(r["trades_executed"]) for r in reports.values())
    if in_period != executed:
        found.append(f"{executed} decisions are executed, {in_period} trades are reported")
    if filled < in_period:
        found.append(f"{in_period} trades are reported, the book has {filled} filled orders")
    return found


def differences(undisturbed: Outcome, disturbed: Outcome) -> list[str]:
    """Return what a disturbed walk changed: orders at the broker, and parts of a symbol's report."""
    one_book, other_book = Counter(undisturbed.orders), Counter(disturbed.orders)
    found = [f"order {order} is missing" for order in one_book - other_book]
    found += [f"order {order} is too much" for order in other_book - one_book]
    for symbol in sorted(undisturbed.reports.keys() | disturbed.reports.keys()):
        one, other = undisturbed.reports.get(symbol, {}), disturbed.reports.get(symbol, {})
        found += [
            f"{symbol} {part}: {one.get(part)} became {other.get(part)}"
            for part in one.keys() | other.keys()
            if one.get(part) != other.get(part)
        ]
    return found
