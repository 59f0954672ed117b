"""One replay from its captured beginning to its captured end: reading, judging or trying, and its report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from services.decider.replay.answering import Facts
from services.decider.replay.asked import Asked
from services.decider.replay.changes import Changes
from services.decider.replay.configurations import read_configurations
from services.decider.replay.estimates import PortfolioValues
from services.decider.replay.history import ANSWERS, History, as_answer
from services.decider.replay.judging import Judge
from services.decider.replay.memories import Memories
from services.decider.replay.progress import progress
from services.decider.replay.report import Report, differences_report, whatif_report
from services.decider.replay.whatif import WhatIf
from services.decider.views.memory import Memory
from services.decider.views.reference_feed import ReferenceFeed
from tradetrail.errors import UsageError
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.reader import Place, Received, end_offsets, places_of, read_range
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# Any look-back will do where no configuration names one: nothing can be judged then.
_SOME_LOOKBACK_DAYS = 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where each partition ended when the replay began, and whether no transaction was open in it then."""

    ends: dict[Place, int]
    settled: dict[Place, bool]


def replay(shared: SharedSettings, asked: Asked) -> Report:
    """Replay what was ``asked`` for and return the report.

    Raises Retryable while log or registry are away, UsageError for what can't be asked.
    """
    started = time.monotonic()
    codec, topics = Codec(shared.registry_url), Topics.of(shared)
    names = topics.trade() if asked.symbol is None else [topics.for_symbol(asked.symbol)]
    bounds = _bounds(shared, names)
    configurations = read_configurations(shared, codec, topics)
    changes = Changes(asked, configurations)
    is_whatif = changes.is_whatif
    lookbacks = changes.check() if is_whatif else configurations.lookbacks_days()
    memories = Memories(
        lambda days: Memory(shared, codec, days), lookbacks or {_SOME_LOOKBACK_DAYS}
    )

    def read(place: Place) -> Iterator[Received]:
        return read_range(shared, {place: 0}, {place: bounds.ends[place]})

    facts = _facts(shared, codec, topics)
    history = History(codec, memories, read, bounds.settled, asked.symbol)
    if is_whatif:
        values = _portfolio_values(shared, codec, topics)
        tried = WhatIf(asked, memories, configurations, changes, values, facts)
        with progress("replaying", bounds.ends) as moved:
            for found in history.walk(moved):
                tried.take(found)
        return whatif_report(asked, tried.tried, time.monotonic() - started)
    judge = Judge(asked, memories, configurations, facts)
    with progress("replaying", bounds.ends) as moved:
        for found in history.walk(moved):
            judge.take(found)
    return differences_report(asked, judge.judged, time.monotonic() - started)


def _bounds(shared: SharedSettings, topics: list[str]) -> Bounds:
    places = places_of(shared, topics)
    if not places:
        raise UsageError(
            f"{shared.kafka} has no topic {', '.join(topics)}: nothing was ever recorded there; name the log's servers "
            "by TRADETRAIL_KAFKA and TRADETRAIL_REGISTRY_URL, or the folder of a local stack by TRADETRAIL_HOME"
        )
    ends = end_offsets(shared, places)
    highest = end_offsets(shared, places, committed_only=False)
    return Bounds(ends, {place: ends[place] >= highest[place] for place in places})


def _facts(shared: SharedSettings, codec: Codec, topics: Topics) -> Facts:
    feed = ReferenceFeed(shared, codec, topics)
    try:
        through = feed.up_to_date()
        return Facts(feed.book, through)
    finally:
        feed.close()


def _portfolio_values(shared: SharedSettings, codec: Codec, topics: Topics) -> PortfolioValues:
    """Read what the portfolio was worth day by day, from every symbol's answers."""
    values = PortfolioValues()
    places = places_of(shared, topics.trade())
    ends = end_offsets(shared, places)
    with progress("reading the portfolio's values", ends) as moved:
        for message in read_range(shared, dict.fromkeys(places, 0), ends):
            moved(message.place, message.offset)
            try:
                if codec.type_name(message.value) not in ANSWERS:
                    continue
                answer = as_answer(codec.decode(message.value).event)
            except BadEvent:
                continue
            if answer is not None:
                values.take(answer)
    return values
