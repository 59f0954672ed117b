"""A batch's questions share their context, and how the log is cut into batches changes no answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.decider.answering.answers import Desk
from services.decider.catalogue import strategies_named
from services.decider.contexts.context import Call, ContextAway, DailyBar, Portfolio, Reading
from services.decider.contexts.context_wait import ContextWait
from services.decider.service import Decider
from services.decider.settings import DeciderSettings
from services.decider.views.memory import Memory
from tests.integration.disclosed import Row, morning, run_events
from tradetrail.clock import FixedClock
from tradetrail.events import Event, to_datum
from tradetrail.events.generated import (
    ApiCallRecorded,
    CallPurpose,
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    Direction,
)
from tradetrail.exchange import Exchange
from tradetrail.log.codec import Codec, Decoded
from tradetrail.log.entry import Entry
from tradetrail.log.reader import Received
from tradetrail.log.stamp import Stamp
from tradetrail.settings import SharedSettings

DAY = date(2024, 2, 5)
PLACE = ("trade.default", 0)
SYMBOLS = ("AAA", "BBB", "CCC", "NONE")
HELD = {"AAA": Decimal(7), "CCC": Decimal(3)}
Answer = DecisionMade | DecisionDeclined


class Market:
    """Always the same prices and the same account; counts what it is asked for."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.is_away = is_away
        self.asked: list[tuple[tuple[str, ...], bool]] = []

    def read(
        self, symbols: Sequence[str], now: datetime, *, with_portfolio: bool, until: float
    ) -> Reading:
        self.asked.append((tuple(symbols), with_portfolio))
        status = 503 if self.is_away else 200
        exchange = Exchange("GET", "/v2/x", {}, status, None, b"{}", {}, 1)
        calls = []
        if with_portfolio:
            calls.append(Call(CallPurpose.PORTFOLIO_CONTEXT, exchange, None))
        if symbols:
            calls.append(Call(CallPurpose.MARKET_CONTEXT, exchange, tuple(symbols)))
        if self.is_away:
            raise ContextAway("HTTP 503", tuple(calls))
        money = Decimal(100_000)
        bars = {s: () if s == "NONE" else (bar(s),) for s in symbols}
        return Reading(
            Portfolio(money, money, HELD) if with_portfolio else None, bars, tuple(calls)
        )


def bar(symbol: str) -> DailyBar:
    return DailyBar(
        datetime(2024, 2, 2, 5, tzinfo=UTC), Decimal(10 + ord(symbol[0])), Decimal(1000)
    )


def entries(events: Sequence[Event]) -> list[Entry]:
    found = []
    for offset, event in enumerate(events):
        key = (event.symbol or "").encode()
        message = Received(*PLACE, offset, key, b"", morning(DAY))
        found.append(Entry(message, Decoded(event.TYPE, 1, to_datum(event))))
    return found


def decide(batches: Sequence[Sequence[Entry]], market: Market) -> list[list[Event]]:
    """Return the outputs of each batch, from a decider that begins with nothing."""
    own = DeciderSettings(context_wait_s=0.001 if market.is_away else 75)
    stop = threading.Event()
    shared = SharedSettings()
    memory = Memory(shared, Codec(shared.registry_url), own.lookback_days)
    memory.begin([PLACE])
    clock = FixedClock(morning(DAY))
    desk = Desk(Stamp("decider", "test"), own, "0", clock, ContextWait(market, stop))
    decider = Decider(memory, desk, strategies_named(["CongressionalTradingStrategy"]), stop)
    outputs = [decider.process(batch) for batch in batches]
    return [[each.event for each in batch if each.event is not None] for batch in outputs]


def answers_of(events: Sequence[Event]) -> list[Answer]:
    return [event for event in events if isinstance(event, Answer)]


def calls_of(events: Sequence[Event]) -> list[ApiCallRecorded]:
    return [event for event in events if isinstance(event, ApiCallRecorded)]


def bare(answer: Answer) -> Answer:
    """Return an answer without the names of the calls it rests on: those depend on who shared them."""
    rationale = answer.rationale
    market, portfolio = rationale.market_context, rationale.portfolio_context
    rationale = replace(
        rationale,
        market_context=market and replace(market, api_call_ids=()),
        portfolio_context=portfolio and replace(portfolio, api_call_ids=()),
    )
    return replace(answer, rationale=rationale, api_call_ids=())


def named(answer: Answer) -> set[str]:
    contexts = (answer.rationale.market_context, answer.rationale.portfolio_context)
    used = {call_id for each in contexts if each is not None for call_id in each.api_call_ids}
    assert used <= set(answer.api_call_ids)
    return set(answer.api_call_ids)


PEOPLE = st.sampled_from(["Ann", "Bob", "Cal", "Dee"])
ROWS = st.lists(
    st.builds(
        Row,
        PEOPLE,
        st.sampled_from([Direction.BUY, Direction.BUY, Direction.SELL]),
        version=st.integers(1, 2),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda row: row.person,
)
RUNS = st.lists(st.tuples(st.sampled_from(SYMBOLS), ROWS), min_size=1, max_size=12)


@settings(deadline=None, max_examples=25)
@given(runs=RUNS, cuts=st.sets(st.integers(1, 40)))
def test_batch_borders_never_change_an_answer(
    runs: list[tuple[str, list[Row]]], cuts: set[int]
) -> None:
    events = [
        event
        for number, (symbol, rows) in enumerate(runs)
        for event in run_events(
            symbol, f"run-{number}", morning(DAY) + timedelta(minutes=number), rows
        )
    ]
    log = entries(events)
    borders = [0, *sorted(cut for cut in cuts if cut < len(log)), len(log)]
    batches = [log[a:b] for a, b in pairwise(borders)]
    alone = [event for batch in decide([[entry] for entry in log], Market()) for event in batch]
    cut = [event for batch in decide(batches, Market()) for event in batch]
    whole = decide([log], Market())[0]
    assert len(answers_of(alone)) == len(runs)
    assert [*map(bare, answers_of(alone))] == [*map(bare, answers_of(cut))]
    assert [*map(bare, answers_of(alone))] == [*map(bare, answers_of(whole))]
    for events in (alone, cut, whole):
        ids = [call.call_id for call in calls_of(events)]
        assert len(set(ids)) == len(ids)
        # A symbol without a price has no market in its rationale, and so no name for its call.
        assert set().union(*map(named, answers_of(events))) <= set(ids)


def burst(symbols: Sequence[str], run: str = "run", people: str = "AB") -> list[Event]:
    return [
        event
        for symbol in symbols
        for event in run_events(symbol, run, morning(DAY), [Row(f"{run}-{p}") for p in people])
    ]


def test_the_signals_of_a_batch_share_one_look_at_the_account() -> None:
    market = Market()
    symbols = [f"S{number:02}" for number in range(30)]
    (events,) = decide([entries(burst(symbols))], market)
    assert market.asked == [(tuple(symbols), True)]
    answers, calls = answers_of(events), calls_of(events)
    assert all(isinstance(each, DecisionMade) for each in answers)
    assert [each.symbol for each in answers] == symbols
    # The calls come first, and every answer names them all.
    assert [type(event) for event in events[:2]] == [ApiCallRecorded] * 2
    assert {frozenset(named(each)) for each in answers} == {frozenset(c.call_id for c in calls)}
    assert {(call.decision_id, call.symbol, call.story_id) for call in calls} == {(None,) * 3}
    assert {call.cause for call in calls} == {answers[0].cause}


def test_a_call_that_served_one_decision_names_it() -> None:
    (events,) = decide([entries(burst(["AAA"]))], Market())
    (answer,), calls = answers_of(events), calls_of(events)
    assert {(c.decision_id, c.symbol, c.story_id) for c in calls} == {
        (answer.decision_id, "AAA", answer.decision_id)
    }


def test_a_second_trigger_of_a_symbol_settles_the_first_and_reads_nothing_again() -> None:
    market = Market()
    again = burst(["AAA"], "run-2", "C")
    moved = run_events("AAA", "run-3", morning(DAY), [Row("run-A", version=2)])
    log = [*burst(["AAA", "BBB"]), *again, *moved, *burst(["CCC"], "run-4")]
    (events,) = decide([entries(log)], market)
    first, _, _, amended, _ = answers_of(events)
    assert isinstance(first, DecisionMade)
    assert isinstance(amended, DecisionDeclined)
    assert amended.reason is DeclineReason.ALREADY_ACTED
    assert market.asked == [(("AAA", "BBB"), True), (("CCC",), False)]
    account, market_of_two, market_of_one = calls_of(events)
    assert (account.symbol, market_of_two.symbol, market_of_one.symbol) == (None, None, "CCC")
    assert market_of_one.decision_id == answers_of(events)[-1].decision_id


def test_what_a_batch_waited_for_in_vain_is_not_asked_for_again() -> None:
    market = Market(is_away=True)
    log = [*burst(["AAA", "BBB"]), *burst(["AAA", "BBB"], "run-2"), *burst(["AAA"], "run-3")]
    (events,) = decide([entries(log)], market)
    answers, calls = answers_of(events), calls_of(events)
    assert len(answers) == 5
    for each in answers:
        assert isinstance(each, DecisionDeclined)
        assert each.reason is DeclineReason.CONTEXT_UNAVAILABLE
    assert set(market.asked) == {(("AAA", "BBB"), True)}
    assert {call.status_code for call in calls} == {503}
    assert len({call.call_id for call in calls}) == len(calls) == 2 * len(market.asked)
