"""The congressional strategy's rules, each at its border."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.decider.strategies.congressional import (
    CongressionalSettings,
    CongressionalTradingStrategy,
)
from services.decider.views.view import Disclosure, Trigger, View
from tradetrail.events.generated import (
    Cause,
    DeclineReason,
    Direction,
    LineageRun,
    RecordKind,
    Side,
)

TODAY = date(2024, 3, 15)
STRATEGY = CongressionalTradingStrategy(CongressionalSettings())


def place(offset: int) -> Cause:
    return Cause(topic="trade.default", partition=0, offset=offset, event_id=f"event-{offset}")


def disclosed(offset: int, person: str, **changes: object) -> Disclosure:
    plain = Disclosure(
        record_id=f"record-{offset}",
        version=1,
        kind=RecordKind.CONGRESS,
        run_id="run",
        place=place(offset),
        person=person,
        direction=Direction.BUY,
        transacted_on=TODAY - timedelta(days=20),
        reported_on=TODAY,
        amount_usd_min=Decimal(1001),
        amount_usd_max=Decimal(15000),
        flags=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def trigger(*record_ids: str) -> Trigger:
    run = LineageRun(
        run_id="run",
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        completed_at=datetime(2024, 3, 15, 11, tzinfo=UTC),
        records_fetched=1,
    )
    return Trigger("AAPL", place(99), datetime(2024, 3, 15, 11, tzinfo=UTC), run, record_ids)


def view(*disclosures: Disclosure, acted: frozenset[str] = frozenset()) -> View:
    return View(disclosures, {}, acted, None)


def test_one_small_purchase_is_below_the_threshold() -> None:
    signal = STRATEGY.evaluate(view(disclosed(1, "Ann")), trigger("record-1"))
    assert signal.decline is DeclineReason.BELOW_THRESHOLD
    assert signal.strength == 1


def test_two_members_agree_and_reach_the_threshold_together() -> None:
    signal = STRATEGY.evaluate(view(disclosed(1, "Ann"), disclosed(2, "Bob")), trigger("record-2"))
    assert signal.decline is None
    assert (signal.side, signal.strength, signal.consensus) == (Side.BUY, Decimal(3), True)
    assert signal.confidence == Decimal("0.75")
    assert signal.trigger_event == "congressional_buy"


def test_one_member_with_many_lots_counts_once() -> None:
    lots = [disclosed(n, "Ann") for n in range(1, 6)]
    assert STRATEGY.evaluate(view(*lots), trigger("record-5")).strength == 1


@pytest.mark.parametrize(
    ("amount_usd_min", "weight"),
    [
        (14_999, "1"),
        (15_000, "1.5"),
        (15_001, "1.5"),
        (49_999, "1.5"),
        (50_000, "2"),
        (100_001, "2.5"),
        (250_001, "3"),
        (1_000_000, "3.5"),
    ],
)
def test_the_band_gives_the_weight(amount_usd_min: int, weight: str) -> None:
    one = disclosed(1, "Ann", amount_usd_min=Decimal(amount_usd_min))
    assert STRATEGY.evaluate(view(one), trigger("record-1")).strength == Decimal(weight)


@pytest.mark.parametrize(
    ("delay_days", "weight"), [(30, "1"), (31, "0.75"), (45, "0.75"), (46, "0.5")]
)
def test_a_late_report_weighs_less(delay_days: int, weight: str) -> None:
    late = disclosed(1, "Ann", transacted_on=TODAY - timedelta(days=delay_days))
    assert STRATEGY.evaluate(view(late), trigger("record-1")).strength == Decimal(weight)


def test_opposition_takes_half_its_weight_away() -> None:
    seller = disclosed(1, "Cid", direction=Direction.SELL, amount_usd_min=Decimal(50_001))
    buyers = [disclosed(2, "Ann"), disclosed(3, "Bob")]
    signal = STRATEGY.evaluate(view(seller, *buyers), trigger("record-2", "record-3"))
    assert signal.strength == Decimal(2)


def test_as_much_on_either_side_is_no_direction() -> None:
    both = (disclosed(1, "Ann"), disclosed(2, "Bob", direction=Direction.SELL))
    signal = STRATEGY.evaluate(view(*both), trigger("record-1", "record-2"))
    assert signal.decline is DeclineReason.CONFLICTING_SIGNALS


def test_a_record_that_set_off_a_trade_does_so_only_once() -> None:
    acted = frozenset({"record-1"})
    signal = STRATEGY.evaluate(view(disclosed(1, "Ann"), acted=acted), trigger("record-1"))
    assert signal.decline is DeclineReason.ALREADY_ACTED


def test_an_amended_record_that_acted_lends_no_weight_to_a_new_side() -> None:
    amended = disclosed(1, "Ann", amount_usd_min=Decimal(1_000_001))
    new = disclosed(2, "Bob", direction=Direction.SELL)
    signal = STRATEGY.evaluate(
        view(amended, new, acted=frozenset({"record-1"})), trigger("record-1", "record-2")
    )
    assert signal.side is Side.SELL
    assert signal.decline is DeclineReason.BELOW_THRESHOLD


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": Direction.EXCHANGE},
        {"flags": ("impossible_date",)},
        {"flags": ("not_a_stock",)},
        {"kind": RecordKind.INSIDER},
        {"reported_on": TODAY - timedelta(days=46)},
        {"reported_on": None},
    ],
)
def test_an_unusable_record_is_no_signal(changes: dict[str, object]) -> None:
    signal = STRATEGY.evaluate(view(disclosed(1, "Ann", **changes)), trigger("record-1"))
    assert signal.decline is DeclineReason.NO_SIGNAL


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Ann", "Bob", "Cid"]),
            st.sampled_from([Direction.BUY, Direction.SELL]),
            st.integers(min_value=0, max_value=5_000_000),
            st.integers(min_value=-5, max_value=400),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_strength_and_confidence_stay_in_their_ranges(
    rows: list[tuple[str, Direction, int, int]],
) -> None:
    disclosures = [
        disclosed(
            n,
            person,
            direction=direction,
            amount_usd_min=Decimal(low),
            transacted_on=TODAY - timedelta(days=delay),
        )
        for n, (person, direction, low, delay) in enumerate(rows)
    ]
    asked = trigger(*(d.record_id for d in disclosures))
    signal = STRATEGY.evaluate(view(*disclosures), asked)
    assert 0 <= signal.strength <= 10
    assert 0 <= signal.confidence <= 1
    assert signal == STRATEGY.evaluate(view(*disclosures), asked)
