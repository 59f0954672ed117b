"""The look-back of a view: what is in it, what is too old to set off a trade, and what is kept in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.decider.answering.decision import Making, Question, decline_before_context, declined
from services.decider.catalogue import strategies_named
from services.decider.settings import DeciderSettings, require_lookback
from services.decider.views.symbol_state import Acted, SymbolState, Unreadable
from services.decider.views.view import Disclosure, Trigger
from tests.unit.decider_views import LOOKBACK, NOW, RUN, empty_state, lot, place
from tests.unit.test_decider_properties import recorded
from tradetrail.errors import UsageError
from tradetrail.events.generated import DeclineReason, RecordReference, SymbolDataReady
from tradetrail.log.stamp import Stamp

BORDER = NOW - LOOKBACK
MOMENT = timedelta(microseconds=1)
NAME = "CorporateInsiderStrategy"


def put(state: SymbolState, each: Disclosure, at: datetime, *changed: str) -> None:
    event = replace(recorded(each), occurred_at=at, changed_fields=changed)
    state.fold(event, each.place)


def ask(state: SymbolState, *record_ids: str, offset: int = 9_000, at: datetime = NOW) -> Trigger:
    ready = SymbolDataReady(
        event_id="ready",
        **Stamp("ingestor", "test").envelope(at),
        symbol="AAPL",
        run_id=RUN,
        task_name="task",
        data_source="quiverquant_insider",
        completed_at=at,
        records_fetched=1,
        records=tuple(
            RecordReference(record_id=each, version=1, event_id="e") for each in record_ids
        ),
    )
    trigger = state.fold(ready, place(offset))
    assert trigger is not None
    return trigger


def test_a_view_begins_at_the_look_back_and_ends_with_its_trigger() -> None:
    state = empty_state()
    put(state, lot(1), BORDER - MOMENT)
    put(state, lot(2), BORDER)
    put(state, lot(3), NOW)
    asked = ask(state, offset=4)
    before = state.view(NAME, asked)
    assert [d.record_id for d in before.disclosures] == ["record-2", "record-3"]
    put(state, lot(5), NOW)
    ask(state, offset=6)
    assert state.view(NAME, asked) == before, "what comes later changes no view"


def test_an_old_version_does_not_stand_in_for_its_record() -> None:
    state = empty_state()
    put(state, lot(1, record_id="r"), BORDER - MOMENT)
    put(state, lot(2, record_id="r", version=2), NOW)
    assert [d.version for d in state.view(NAME, ask(state)).disclosures] == [2]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("Range", "1 first recorded before the look-back of 120 days"),
        ("Ticker", "1 came here from another ticker by a correction"),
    ],
)
def test_a_correction_without_its_version_1_sets_off_no_trade(changed: str, words: str) -> None:
    state = empty_state()
    put(state, lot(1, record_id="r"), BORDER - MOMENT)
    put(state, lot(2, record_id="r", version=2), NOW, changed)
    asked = ask(state, "r")
    assert (asked.record_ids, asked.stale) == ((), ("r",))
    (strategy,) = strategies_named([NAME])
    view = state.view(NAME, asked)
    question = Question(strategy, asked, view, strategy.evaluate(view, asked))
    why = decline_before_context(question)
    assert why is not None
    assert why[0] is DeclineReason.STALE_DISCLOSURES
    assert words in why[1]
    said = declined(question, Making(Stamp("decider", "test"), DeciderSettings(), "0", NOW), why)
    assert [r.record_id for r in said.rationale.source_data.records] == ["r"]


def test_a_fresh_record_beside_a_stale_one_is_judged_by_the_strategy() -> None:
    state = empty_state()
    put(state, lot(1, record_id="r", version=2), NOW, "Ticker")
    put(state, lot(2), NOW)
    asked = ask(state, "r", "record-2")
    assert (asked.record_ids, asked.stale) == (("record-2",), ("r",))
    (strategy,) = strategies_named([NAME])
    view = state.view(NAME, asked)
    signal = strategy.evaluate(view, asked)
    why = decline_before_context(Question(strategy, asked, view, signal))
    assert why is None or why[0] is not DeclineReason.STALE_DISCLOSURES
    assert [d.record_id for d in signal.used] == ["r", "record-2"], "both lend their weight"


def test_an_unreadable_event_counts_while_it_is_in_the_look_back() -> None:
    state = empty_state()
    state.unreadable = [
        Unreadable(BORDER - MOMENT, 1, "old"),
        Unreadable(BORDER, 2, "in"),
        Unreadable(NOW, 10, "later"),
    ]
    assert state.view(NAME, ask(state, offset=5)).incomplete == "in"
    later = ask(state, offset=6, at=NOW + MOMENT)
    assert state.view(NAME, later).incomplete is None
    state.unreadable.append(Unreadable(None, 3, "no one knows when"))
    assert state.view(NAME, later).incomplete == "no one knows when"


def test_what_no_view_reaches_is_dropped() -> None:
    state = empty_state()
    put(state, lot(1), BORDER - MOMENT)
    put(state, lot(2), BORDER)
    old, new = {Acted(BORDER - MOMENT, 3)}, {Acted(BORDER, 3)}
    state.acted[NAME] = {"record-1": old, "record-2": new, "record-3": old | new}
    state.unreadable = [Unreadable(BORDER - MOMENT, 1, "old")]
    asked = ask(state, offset=4)
    before = state.view(NAME, asked)
    state.prune(BORDER)
    assert state.view(NAME, asked) == before
    kept = {NAME: {"record-2": new, "record-3": new}}
    assert (len(state.recorded), state.acted, state.unreadable) == (1, kept, [])
    state.prune(NOW + MOMENT)
    assert state.is_empty


def test_a_look_back_shorter_than_a_strategys_is_refused() -> None:
    strategies = strategies_named(["CongressionalTradingStrategy", NAME])
    require_lookback(DeciderSettings(lookback_days=45), strategies)
    with pytest.raises(UsageError, match="TRADETRAIL_DECIDER_LOOKBACK_DAYS=44"):
        require_lookback(DeciderSettings(lookback_days=44), strategies)
