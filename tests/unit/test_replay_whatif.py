"""What a what-if finds: decisions that appear, vanish or change, and what their sizes rest on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from benchmarks.paper_log import CONGRESS, PaperDecider, PaperLog
from services.decider.replay.asked import Asked, Override
from services.decider.replay.changes import check_names
from services.decider.replay.estimates import SizeBasis
from services.decider.replay.whatif import NOT_ANSWERED, Change, Kind, Tried
from tests.integration.disclosed import Row, run_events
from tests.replay_log import (
    judged,
    made,
    morning_of,
    small_log,
    tried,
)
from tradetrail.errors import UsageError


def setting(text: str) -> Override:
    name, _, value = text.partition("=")
    owner, dot, threshold = name.rpartition(".")
    return Override(owner if dot else None, threshold, value)


def asked(*settings: str, **more: object) -> Asked:
    return Asked(overrides=tuple(setting(each) for each in settings), **more)  # type: ignore[arg-type]


def kinds(found: Tried) -> Counter[Kind]:
    return Counter(change.kind for change in found.changes)


def only(found: Tried) -> Change:
    (change,) = found.changes
    return change


@pytest.mark.parametrize(
    "same", ["strength_min=2", "position_fraction=0.010", f"{CONGRESS}.lookback_days=45"]
)
def test_the_value_that_was_changes_nothing(same: str) -> None:
    found = tried(small_log(), asked(same))
    assert found.changes == []
    assert (found.decided, found.unchanged, found.other_reason) == (18, 18, 0)


def test_a_lower_threshold_lets_decisions_appear() -> None:
    log = small_log()
    found = tried(log, asked("strength_min=1"))
    assert kinds(found) == {Kind.APPEARS: 3}
    change = found.changes[0]
    assert (change.old.reason, change.new.reason) == ("below_threshold", None)
    assert change.new.strength == Decimal(1)
    # It was the first morning: there was no price yet, nor a portfolio's value.
    assert (change.new.quantity, change.basis.size) == (None, SizeBasis.UNKNOWN)


def test_a_higher_threshold_lets_them_vanish() -> None:
    log = small_log()
    found = tried(log, asked("strength_min=9.9"))
    assert kinds(found) == {
        Kind.VANISHES: sum(d.rationale.signal_strength < Decimal("9.9") for d in made(log))
    }
    assert {change.new.reason for change in found.changes} == {"below_threshold"}
    assert {change.basis.size for change in found.changes} == {SizeBasis.RECORDED}


def test_another_part_of_the_portfolio_changes_every_quantity() -> None:
    log = small_log()
    found = tried(log, asked("position_fraction=0.02"))
    assert kinds(found) == {Kind.CHANGES: len(made(log))}
    for change, decision in zip(found.changes, made(log), strict=True):
        market = decision.rationale.market_context
        assert market is not None
        assert change.old.quantity == decision.quantity
        assert change.new.quantity == Decimal(20_000) // market.current_price
        assert (change.basis.price, change.basis.portfolio_value) == (
            market.current_price,
            Decimal(1_000_000),
        )


def acting_log() -> PaperLog:
    """Two members buy little, and one of them turns out the next morning to have bought for a million."""
    log = PaperLog()
    decider = PaperDecider(log)
    log.publish(
        run_events(
            "AAPL",
            "run-0",
            morning_of(0),
            [Row("Ann", amount_usd_min=1_001), Row("Bob", amount_usd_min=1_001)],
        )
    )
    decider.decide()
    amended = [Row("Ann", version=2, amount_usd_min=1_000_001)]
    log.publish(run_events("AAPL", "run-1", morning_of(1), amended))
    decider.decide()
    return log


def test_what_it_did_not_act_on_before_it_acts_on_later() -> None:
    log = acting_log()
    assert [type(each).__name__ for each in log.answers()] == ["DecisionMade", "DecisionDeclined"]
    found = tried(log, asked("strength_min=4"))
    first, second = found.changes
    assert (first.kind, first.new.reason) == (Kind.VANISHES, "below_threshold")
    assert (second.kind, second.old.reason) == (Kind.APPEARS, "already_acted")
    assert (second.new.strength, second.basis.size) == (Decimal("5.5"), SizeBasis.ESTIMATED)
    # By the price that was recorded the morning before.
    market = made(log)[0].rationale.market_context
    assert market is not None
    assert second.new.quantity is None or second.new.quantity == 10_000 // market.current_price


def test_before_its_period_the_recorded_decisions_count() -> None:
    found = tried(acting_log(), asked("strength_min=4", first=morning_of(1).date()))
    assert (found.triggers, found.unchanged, found.changes) == (1, 1, [])


def test_an_estimate_names_its_numbers_and_their_dates() -> None:
    log = acting_log()
    change = tried(log, asked("strength_min=4")).changes[1]
    assert change.basis.price_as_of is not None
    assert change.basis.price_as_of < morning_of(1) - timedelta(days=1)
    assert change.basis.portfolio_as_of is not None
    assert change.basis.portfolio_as_of < morning_of(1)


def test_a_strategy_that_was_not_on_is_tried_on_triggers_that_nobody_answered() -> None:
    log = PaperLog()
    decider = PaperDecider(log, strategies=("CorporateInsiderStrategy",))
    log.publish(run_events("AAPL", "run-0", morning_of(0), [Row("Ann"), Row("Bob")]))
    decider.decide()
    change = only(tried(log, asked(strategy=CONGRESS)))
    assert (change.kind, change.old.reason) == (Kind.APPEARS, NOT_ANSWERED)
    assert (change.strategy, change.basis.size) == (CONGRESS, SizeBasis.UNKNOWN)


def test_a_what_if_takes_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADETRAIL_CONGRESSIONAL_STRENGTH_MIN", "9")
    assert tried(small_log(), asked("position_fraction=0.01")).changes == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param(asked("foo=1"), "CongressionalTradingStrategy.strength_min: Least", id="none"),
        pytest.param(
            asked("decider.strength_min=1"), "decider.position_fraction: Part", id="owner"
        ),
        pytest.param(asked("Nobody.strength_min=1"), "there is no threshold", id="nobody"),
        pytest.param(asked("context_wait_s=1"), "there is no threshold", id="undeciding"),
        pytest.param(Asked(strategy="Nobody"), "CorporateInsiderStrategy", id="strategy"),
        pytest.param(Asked(strategy=CONGRESS, version="0.0.1"), "1.0.0", id="version"),
        pytest.param(Asked(version="1.0.0"), "--strategy NAME", id="whose"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(wrong: Asked, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        check_names(wrong)


@pytest.mark.parametrize(
    "wrong", ["position_fraction=2", "lookback_days=0", "strength_min=much", "quantity=some"]
)
def test_a_value_out_of_bounds_is_refused_with_its_meaning(wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong.partition("=")[0]):
        tried(small_log(days=1), asked(wrong))


def test_a_log_that_differs_from_its_replay_can_still_be_tried() -> None:
    log = small_log()
    assert judged(log).differences == 0
    log.alter(lambda a: None if a.symbol == "AAPL" else a)
    found = tried(log, asked("strength_min=2"))
    assert {change.symbol for change in found.changes} == {"AAPL"}
    assert {change.old.reason for change in found.changes} == {NOT_ANSWERED}
