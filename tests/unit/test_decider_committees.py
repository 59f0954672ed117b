"""Committee relevance: whose seat weighs, for which sector, on which side, and what is said when nothing is known."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.decider.signals.jurisdictions import COMMITTEE_SECTORS
from services.decider.signals.signal import Signal
from services.decider.strategies.congressional import (
    CongressionalSettings,
    CongressionalTradingStrategy,
)
from services.decider.strategies.released import congressional_1_0_0
from services.decider.views.reference import ReferenceBook
from services.decider.views.view import Disclosure, Reference, View
from tests.reference_facts import TOPIC, place, seat, sector
from tests.unit.decider_views import NOW, TODAY, all_of, member_trade, rationale_bytes, view
from tradetrail.events.generated import (
    CommitteeMembershipRecorded,
    DeclineReason,
    Direction,
    LogPosition,
    RuleResult,
    SectorRecorded,
    Side,
)

Fact = CommitteeMembershipRecorded | SectorRecorded
ENERGY = sector("AAPL", "Energy", TODAY)
ANN_ON_ENERGY, BOB_ON_FARMS = seat("A1", "HSIF", TODAY), seat("B2", "HSAG", TODAY)
# The eleven of the classification, by the names that files of them use.
GICS = {
    *("Communication Services", "Consumer Discretionary", "Consumer Staples", "Energy"),
    *("Financials", "Health Care", "Industrials", "Information Technology", "Materials"),
    *("Real Estate", "Utilities"),
}


def strategy(**changes: Any) -> CongressionalTradingStrategy:
    return CongressionalTradingStrategy(CongressionalSettings(**changes))


def ann(offset: int = 1, **changes: Any) -> Disclosure:
    return member_trade(offset, "Ann", person_id="A1", **changes)


def bob(offset: int = 2, **changes: Any) -> Disclosure:
    return member_trade(offset, "Bob", person_id="B2", **changes)


def known(*facts: Fact) -> Reference:
    book = ReferenceBook()
    for offset, fact in enumerate(facts):
        book.take(fact, place(offset))
    return book.as_of(
        "AAPL", ["A1", "B2", "C3"], NOW, [LogPosition(topic=TOPIC, partition=0, offset=99)]
    )


def seen(*disclosures: Disclosure, facts: tuple[Fact, ...] = ()) -> View:
    return replace(view(*disclosures), reference=known(*facts))


def signal_of(*disclosures: Disclosure, facts: tuple[Fact, ...] = (), **changes: Any) -> Signal:
    return strategy(**changes).evaluate(seen(*disclosures, facts=facts), all_of(disclosures))


def relevance(signal: Signal) -> RuleResult:
    (found,) = [rule for rule in signal.rules if rule.rule == "committee_relevance"]
    return found


def test_a_member_whose_committee_covers_the_sector_weighs_more() -> None:
    signal = signal_of(ann(), bob(), facts=(ENERGY, ANN_ON_ENERGY, BOB_ON_FARMS))
    # 1.5 for Ann, 1 for Bob, 1 for their consensus.
    assert (signal.side, signal.strength) == (Side.BUY, Decimal("3.5"))
    rule = relevance(signal)
    assert (rule.value, rule.passed) == (Decimal(1), True)
    assert rule.explanation == (
        "factor 1.5 for 1 of 2 members who agree and 0 of 0 who don't: they sit on a committee for Energy"
    )
    assert [(f.kind, f.subject, f.value, f.offset) for f in signal.facts] == [
        ("sector", "AAPL", "Energy", 0),
        ("committee_seat", "A1", "HSIF Committee HSIF", 1),
    ]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((), "factor 1: the company's sector is not known"),
        ((ANN_ON_ENERGY,), "factor 1: the company's sector is not known"),
        ((ENERGY,), "factor 1: no committee seat of these members is known"),
        ((ENERGY, seat("C3", "HSIF", TODAY)), "factor 1: no committee seat of these members is"),
        (
            (ENERGY, seat("A1", "HSAG", TODAY)),
            "factor 1: none of these members sits on a committee for Energy",
        ),
        (
            (sector("AAPL", "Alchemy", TODAY), ANN_ON_ENERGY),
            "factor 1: no committee of the configuration covers Alchemy",
        ),
    ],
    ids=["nothing", "no sector", "no seat", "another's seat", "elsewhere", "unknown sector"],
)
def test_what_is_not_known_makes_no_difference_and_is_said(
    facts: tuple[Fact, ...], said: str
) -> None:
    signal = signal_of(ann(), bob(), facts=facts)
    assert signal.strength == 3
    rule = relevance(signal)
    assert (rule.value, rule.passed) == (Decimal(0), False)
    assert rule.explanation.startswith(said)
    assert [f.kind for f in signal.facts] == ["sector" for f in facts if f.symbol]


def test_a_seat_on_a_subcommittee_counts_as_one_on_its_committee_and_only_once() -> None:
    seats = (seat("A1", "HSIF03", TODAY), seat("A1", "HSIF14", TODAY), seat("A1", "HSII", TODAY))
    signal = signal_of(ann(), facts=(ENERGY, *seats))
    assert signal.strength == Decimal("1.5")
    assert [f.value.split()[0] for f in signal.facts[1:]] == ["HSIF03", "HSII"]
    whole = signal_of(ann(), facts=(ENERGY, *seats, ANN_ON_ENERGY))
    assert [f.value.split()[0] for f in whole.facts[1:]] == ["HSIF", "HSII"]


def test_a_subcommittee_may_be_configured_alone() -> None:
    facts = (ENERGY, ANN_ON_ENERGY, seat("B2", "HSIF03", TODAY))
    signal = signal_of(ann(), bob(), facts=facts, committee_sectors={"HSIF03": ["energy "]})
    assert signal.strength == Decimal("3.5")
    assert [f.subject for f in signal.facts] == ["AAPL", "B2"]


def test_who_disagrees_weighs_more_too() -> None:
    seller = bob(direction=Direction.SELL)
    facts = (ENERGY, seat("B2", "SSEG", TODAY))
    plain = signal_of(ann(3, amount_usd_min=Decimal(250_000)), seller)
    weighed = signal_of(ann(3, amount_usd_min=Decimal(250_000)), seller, facts=facts)
    assert (plain.strength, weighed.strength) == (Decimal("2.5"), Decimal("2.25"))
    assert (relevance(weighed).value, relevance(weighed).passed) == (Decimal(0), False)
    assert "1 of 1 who don't" in relevance(weighed).explanation


def test_the_direction_is_decided_by_the_same_weights() -> None:
    both = (ann(), bob(direction=Direction.SELL))
    tie = signal_of(*both)
    assert (tie.decline, tie.facts) == (DeclineReason.CONFLICTING_SIGNALS, ())
    assert relevance(tie).explanation.startswith("factor 1:")
    tipped = signal_of(*both, facts=(ENERGY, ANN_ON_ENERGY))
    assert tipped.side is Side.BUY
    even = signal_of(*both, facts=(ENERGY, ANN_ON_ENERGY, seat("B2", "HSII", TODAY)))
    assert even.decline is DeclineReason.CONFLICTING_SIGNALS
    assert [f.subject for f in even.facts] == ["AAPL", "A1", "B2"]


def test_the_factor_is_configured_and_is_at_least_one() -> None:
    facts = (ENERGY, ANN_ON_ENERGY)
    assert signal_of(ann(), facts=facts, committee_factor=3).strength == 3
    assert signal_of(ann(), facts=facts, committee_factor=1).strength == 1
    with pytest.raises(ValidationError):
        strategy(committee_factor="0.9")


@pytest.mark.parametrize("committee", ["", "HS", "hsif", "HSIF3", "HSIF003", "House"])
def test_a_committee_that_is_none_is_refused(committee: str) -> None:
    with pytest.raises(ValidationError):
        strategy(committee_sectors={committee: ["Energy"]})


def test_the_committees_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"HSAG": ["Energy"], "SSAF13": []}
    monkeypatch.setenv("TRADETRAIL_CONGRESSIONAL_COMMITTEE_SECTORS", json.dumps(chosen))
    assert strategy().configuration()["committee_sectors"] == chosen
    assert signal_of(bob(), facts=(ENERGY, BOB_ON_FARMS)).strength == Decimal("1.5")


def test_the_default_committees_cover_real_sectors_each_at_least_once_a_chamber() -> None:
    for chamber in ("HS", "SS"):
        covered = {
            s for c, each in COMMITTEE_SECTORS.items() if c.startswith(chamber) for s in each
        }
        assert covered == GICS
    assert list(COMMITTEE_SECTORS) == sorted(COMMITTEE_SECTORS)


def test_one_member_under_two_names_counts_once() -> None:
    spelled = member_trade(2, "Ann Example MD", person_id="A1")
    signal = signal_of(ann(), spelled, facts=(ENERGY, ANN_ON_ENERGY))
    assert (signal.strength, signal.consensus) == (Decimal("1.5"), False)
    nameless = signal_of(member_trade(1, "Ann"), member_trade(2, "Bob"))
    assert nameless.consensus


def test_an_answer_names_the_facts_it_rests_on() -> None:
    trades = (ann(), bob())
    facts = (ENERGY, ANN_ON_ENERGY)
    with_facts = rationale_bytes(strategy(), seen(*trades, facts=facts), all_of(trades))
    assert with_facts.count(TOPIC.encode()) == 2
    assert TOPIC.encode() not in rationale_bytes(strategy(), seen(*trades), all_of(trades))


MEMBERS = st.sampled_from([("Ann", "A1"), ("Bob", "B2"), ("Cid", "C3"), ("Dee", None)])


@st.composite
def disclosed(draw: st.DrawFn) -> list[Disclosure]:
    found = []
    for offset in range(draw(st.integers(1, 6))):
        name, person_id = draw(MEMBERS)
        found.append(
            member_trade(
                offset,
                name,
                person_id=person_id,
                direction=draw(st.sampled_from([Direction.BUY, Direction.SELL])),
                amount_usd_min=Decimal(draw(st.sampled_from([1001, 50_001, 250_001]))),
            )
        )
    return found


SEATS = st.lists(
    st.builds(
        seat,
        st.sampled_from(["A1", "B2", "C3"]),
        st.sampled_from(["HSIF", "HSIF03", "HSAG", "SSEG"]),
        st.just(TODAY),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(disclosed(), SEATS, st.data())
def test_the_order_of_records_never_changes_a_signal_and_facts_have_one_order(
    found: list[Disclosure], seats: list[Fact], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(found))
    facts = (ENERGY, *seats)
    one = strategy().evaluate(seen(*found, facts=facts), all_of(found))
    two = strategy().evaluate(seen(*shuffled, facts=facts), all_of(reversed(found)))
    assert replace(one, used=()) == replace(two, used=())
    assert 0 <= one.strength <= 10
    assert 0 <= one.confidence <= 1
    assert len({f.offset for f in one.facts}) == len(one.facts)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(disclosed())
def test_without_facts_it_decides_as_the_version_before(found: list[Disclosure]) -> None:
    before = congressional_1_0_0.CongressionalTradingStrategy(
        congressional_1_0_0.CongressionalSettings()
    ).evaluate(view(*found), all_of(found))
    now = strategy().evaluate(view(*found), all_of(found))
    assert (now.side, now.strength, now.confidence, now.decline, now.text) == (
        before.side,
        before.strength,
        before.confidence,
        before.decline,
        before.text,
    )
