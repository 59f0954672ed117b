"""Small paper logs, and what a replay makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from benchmarks.paper_log import PaperDecider, PaperLog
from services.decider.replay.answering import Facts
from services.decider.replay.asked import Asked
from services.decider.replay.changes import Changes
from services.decider.replay.configurations import Configurations
from services.decider.replay.estimates import PortfolioValues
from services.decider.replay.history import History, Step, Stray
from services.decider.replay.judging import Judge, Judged
from services.decider.replay.memories import Memories
from services.decider.replay.whatif import Tried, WhatIf
from services.decider.views.memory import Memory
from services.decider.views.reference import ReferenceBook
from tests.integration.disclosed import Row, run_events
from tradetrail.events.generated import DecisionMade
from tradetrail.settings import SharedSettings

FIRST = date(2024, 2, 5)
# No seat and no sector is known.
FACTS = Facts(ReferenceBook(), ())


def morning_of(number: int) -> datetime:
    """Return seven o'clock in New York on the n-th day."""
    return datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC) + timedelta(days=number)


def small_log(
    days: int = 6,
    symbols: Sequence[str] = ("AAPL", "MSFT", "BRK.B"),
    log: PaperLog | None = None,
) -> PaperLog:
    """Return a log of some days: some decisions, some declines; answers stand behind later triggers."""
    log = log or PaperLog()
    decider = PaperDecider(log)
    for number in range(days):
        for index, symbol in enumerate(symbols):
            amount = 15_001 if (number + index) % 2 else 1_001
            people = [
                Row(f"member-{number}-{n}", amount_usd_min=amount) for n in range(1 + number % 2)
            ]
            if number % 3 == 2:
                people.append(Row(f"member-{number - 1}-0", version=2, amount_usd_min=50_001))
            log.publish(run_events(symbol, f"run-{number}", morning_of(number), people))
        if number % 2:
            decider.decide()
    decider.decide()
    return log


def walk(
    log: PaperLog, take: Callable[[Step | Stray], None], memories: Memories, asked: Asked
) -> History:
    """Walk a log; return the history."""
    places = dict.fromkeys(log.places(), True)
    history = History(log.codec, memories, log.read, places, asked.symbol)
    for found in history.walk(lambda place, offset: None):
        take(found)
    return history


def memories_of(log: PaperLog, lookbacks: Iterable[int]) -> Memories:
    """Return memories that ask no server."""
    return Memories(lambda days: Memory(SharedSettings(), log.codec, days), lookbacks)


def judged(log: PaperLog, asked: Asked | None = None) -> Judged:
    """Return what a replay of everything finds."""
    asked = asked or Asked()
    configurations = Configurations(log.texts)
    memories = memories_of(log, configurations.lookbacks_days() or {1})
    judge = Judge(asked, memories, configurations, FACTS)
    walk(log, judge.take, memories, asked)
    return judge.judged


def tried(log: PaperLog, asked: Asked) -> Tried:
    """Return what a what-if finds."""
    configurations = Configurations(log.texts)
    changes = Changes(asked, configurations)
    memories = memories_of(log, changes.check())
    values = PortfolioValues()
    for answer in log.answers():
        values.take(answer)
    whatif = WhatIf(asked, memories, configurations, changes, values, FACTS)
    walk(log, whatif.take, memories, asked)
    return whatif.tried


def made(log: PaperLog) -> list[DecisionMade]:
    """Return the decisions of a log."""
    return [each for each in log.answers() if isinstance(each, DecisionMade)]
