"""A decider that forgets what is older than its look-back and starts again at any time answers as one that doesn't."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.decider.views.view import View
from tests.unit.decider_log import (
    BEGIN,
    HISTORIES,
    LOOKBACK_DAYS,
    PLACE,
    STRATEGY,
    Partition,
    restarted,
)

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
History = list[tuple[tuple[int, int, list[tuple[str, int]]], int]]


def played(history: History) -> Partition:
    log, now = Partition(), BEGIN
    for number, ((step, clock, actions), taken) in enumerate(history):
        now += timedelta(hours=step)
        log.run(number, now + timedelta(hours=clock), actions)
        log.decide(taken)
    while log.is_behind:
        log.decide(7)
    return log


@QUICK
@given(history=HISTORIES, data=st.data())
def test_a_start_at_any_moment_sees_what_an_unbroken_run_sees(
    history: History, data: st.DataObject
) -> None:
    log = played(history)
    commit = data.draw(st.integers(0, len(log.commits) - 1))
    seen = restarted(log, commit, spare=data.draw(st.integers(0, 3)))
    late = [a for a in log.answered if a.trigger.place.offset >= log.commits[commit][0]]
    assert seen == [(a.trigger, a.view) for a in late]


@QUICK
@given(history=HISTORIES)
def test_no_record_sets_off_two_trades_over_all_its_versions_and_symbols(history: History) -> None:
    log = played(history)
    acted_on = (record_id for answer in log.answered for record_id in answer.acted_on)
    # A record that is first recorded anew after the look-back is a new one, as far as anybody can know.
    times = Counter(record_id for record_id in acted_on if record_id not in log.relearnt)
    assert all(count == 1 for count in times.values())


@QUICK
@given(history=HISTORIES)
def test_nothing_after_a_trigger_changes_its_view(history: History) -> None:
    log = played(history)
    memory = log.fresh()
    memory.begin([PLACE])
    # All at once, undecoded: also what was appended after the trigger.
    for m in log.messages:
        memory.keep(PLACE, m.offset, m.key, m.value, False)
    for answer in log.answered:
        view = memory.view(PLACE, answer.trigger, STRATEGY.name)
        # What can't be read may be dated by what follows it: then it was later than nothing told.
        assert bare(view) == bare(answer.view)


def bare(view: View) -> View:
    return replace(view, incomplete=None)


def test_the_histories_hold_what_they_are_for() -> None:
    """Guard the tests above: what they draw comes to trades, stale records, gaps in the views and old ones."""
    found: Counter[str] = Counter()

    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(history=HISTORIES)
    def look(history: Any) -> None:
        for answer in played(history).answered:
            found["trade"] += bool(answer.acted_on)
            found["stale"] += bool(answer.trigger.stale)
            found["acted"] += bool(answer.view.acted)
            found["incomplete"] += bool(answer.view.incomplete)
            found["corrected"] += any(d.version > 1 for d in answer.view.disclosures)

    look()
    assert min(found[each] for each in ("trade", "stale", "acted", "incomplete", "corrected")) >= 5


def test_memory_stays_bounded_over_years() -> None:
    log = Partition()
    sizes = []
    for number in range(100):
        log.run(number, BEGIN + timedelta(days=number), [("create", number), ("correct", number)])
        log.decide(50)
        sizes.append(log.memory.size)
    # Five events and marks a day, for the look-back, the margin and the day until it is looked after.
    assert max(sizes) <= 5 * (LOOKBACK_DAYS + 4)
    # A symbol of which nothing more is heard goes, too.
    log.run(1_000, BEGIN + timedelta(days=2_000), [("create", 0)])
    log.decide(50)
    assert log.memory.symbol_count == 1
