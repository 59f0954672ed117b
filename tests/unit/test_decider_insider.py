"""The insider strategy's rules, each at its border."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.decider.signals.officer_titles import heads_company
from services.decider.signals.signal import Signal
from services.decider.strategies.insider import CorporateInsiderStrategy, InsiderSettings
from services.decider.views.view import Disclosure
from tests.unit.decider_views import TODAY, all_of, lot, member_trade, trigger, view
from tradetrail.events.generated import DeclineReason, Side

STRATEGY = CorporateInsiderStrategy(InsiderSettings())
CHIEF: dict[str, Any] = {"is_officer": True, "officer_title": "Chief Executive Officer"}


def evaluated(*lots: Disclosure) -> Signal:
    return STRATEGY.evaluate(view(*lots), all_of(lots))


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_two_directors_who_buy_are_a_signal() -> None:
    signal = evaluated(lot(1, "DOE JANE"), lot(2, "ROE RICHARD"))
    assert signal.decline is None
    assert (signal.side, signal.trigger_event) == (Side.BUY, "insider_buy")
    assert (signal.strength, signal.confidence) == (Decimal(4), Decimal("0.75"))
    assert signal.consensus
    assert [d.record_id for d in signal.used] == ["record-1", "record-2"]


def test_one_director_is_below_the_threshold_and_the_numbers_say_so() -> None:
    signal = evaluated(lot(1))
    assert signal.decline is DeclineReason.BELOW_THRESHOLD
    assert signal.text == "strength 1.500000 is below 3"
    assert "DOE JANE A (buy 100000 USD, 1.5)" in signal.rules[0].explanation


@pytest.mark.parametrize("code", [*"AMCFGJDXILUWZ", "56", "30", "", "p"])
def test_whatever_is_no_open_market_trade_is_no_signal(code: str) -> None:
    signal = evaluated(lot(1, code=code, usd=5_000_000, **CHIEF))
    assert signal.decline is DeclineReason.NO_SIGNAL
    assert f"{code or 'none'} 1" in signal.text


@pytest.mark.parametrize(
    "changes",
    [
        {"price_usd": Decimal(0)},
        {"price_usd": None},
        {"shares": Decimal(0)},
        {"shares": None},
        {"shares": Decimal(-5)},
        {"transacted_on": None},
        {"reported_on": None},
        {"transacted_on": TODAY + timedelta(days=1)},
        {"reported_on": TODAY - timedelta(days=31), "transacted_on": TODAY - timedelta(days=33)},
        {"reported_on": TODAY + timedelta(days=2)},
        {"flags": ("impossible_date",)},
        {"flags": ("unreadable_date",)},
        {"flags": ("negative_lag",)},
        {"flags": ("weekend_trade",)},
        {"flags": ("several_tickers",)},
        {"flags": ("late_filing", "price_implausible")},
        {"flags": ("price_missing",)},
        {"flags": ("unknown_person",)},
    ],
    ids=str,
)
def test_a_row_that_cannot_be_believed_or_is_too_old_is_no_signal(
    changes: dict[str, Any],
) -> None:
    assert evaluated(lot(1, **{**CHIEF, **changes})).decline is DeclineReason.NO_SIGNAL


@pytest.mark.parametrize(
    "changes",
    [
        {"reported_on": TODAY - timedelta(days=30), "transacted_on": TODAY - timedelta(days=32)},
        {"reported_on": TODAY + timedelta(days=1)},
        {"flags": ("duplicate_lot", "late_filing", "ticker_normalised", "wrong_type")},
    ],
    ids=str,
)
def test_a_row_at_the_border_counts(changes: dict[str, Any]) -> None:
    assert evaluated(lot(1, **{**CHIEF, **changes})).decline is None


def test_a_members_trade_is_none_of_an_insiders() -> None:
    signal = evaluated(member_trade(1, transaction_type="P"))
    assert signal.decline is DeclineReason.NO_SIGNAL


@pytest.mark.parametrize(
    ("role", "weight"),
    [
        ({**CHIEF}, 3),
        ({"is_officer": True, "officer_title": "CFO"}, 3),
        ({"is_officer": True, "officer_title": "President, International"}, 2),
        ({"is_officer": True, "officer_title": "EVP & General Counsel"}, 2),
        ({"is_officer": True, "officer_title": None}, 2),
        ({"is_officer": None, "officer_title": "See remarks"}, 2),
        ({"is_officer": False, "officer_title": "See remarks"}, "1.5"),
        ({"is_officer": False}, "1.5"),
        ({"is_director": True, "is_ten_percent_owner": True}, "1.5"),
        ({"is_director": False, "is_ten_percent_owner": True}, 1),
        ({"is_director": None}, 1),
    ],
    ids=str,
)
def test_the_role_gives_the_weight(role: dict[str, Any], weight: int | str) -> None:
    assert evaluated(lot(1, **role)).strength == Decimal(weight)


@pytest.mark.parametrize(
    ("usd", "weight"),
    [
        (9_999, 0),
        (10_000, "1.5"),
        (49_999, "1.5"),
        (50_000, 3),
        (249_999, 3),
        (250_000, "4.5"),
        (999_999, "4.5"),
        (1_000_000, 6),
    ],
)
def test_the_value_gives_the_factor(usd: int, weight: int | str) -> None:
    priced = lot(1, **CHIEF, shares=Decimal(1_000), price_usd=Decimal(usd) / 1_000)
    assert evaluated(priced).strength == Decimal(weight)


def test_a_trade_of_too_little_value_is_declined_with_the_numbers() -> None:
    signal = evaluated(lot(1, usd=9_999, shares=Decimal(1), price_usd=Decimal(9_999)))
    assert signal.decline is DeclineReason.BELOW_THRESHOLD
    assert signal.text == "the largest new trade is worth 9999 USD, below 10000 USD"


@pytest.mark.parametrize(
    ("code", "shares", "owned_after", "factor"),
    [
        ("P", 999, 100_000, "0.75"),
        ("P", 1_000, 100_000, "1"),
        ("P", 19_999, 100_000, "1"),
        ("P", 20_000, 100_000, "1.5"),
        ("P", 1_000, 1_000, "1.5"),
        ("P", 1_001, 1_000, "1"),
        ("P", 1_000, 0, "1"),
        ("P", 1_000, None, "1"),
        ("S", 999, 99_001, "0.75"),
        ("S", 1_000, 99_000, "1"),
        ("S", 19_999, 80_001, "1"),
        ("S", 20_000, 80_000, "1.5"),
        ("S", 1_000, 0, "1.5"),
        ("S", 1_000, None, "1"),
    ],
)
def test_the_part_of_the_holding_gives_the_factor(
    code: str, shares: int, owned_after: int | None, factor: str
) -> None:
    one = lot(
        1,
        code=code,
        **CHIEF,
        shares=Decimal(shares),
        price_usd=Decimal(100_000) / shares,
        shares_owned_following=None if owned_after is None else Decimal(owned_after),
    )
    side = Decimal(1) if code == "P" else Decimal("0.1")
    assert evaluated(one).strength == Decimal(factor) * 3 * side


@pytest.mark.parametrize(
    ("delay_days", "factor"), [(0, "1"), (4, "1"), (5, "0.75"), (10, "0.75"), (11, "0.5")]
)
def test_a_late_filing_weighs_less(delay_days: int, factor: str) -> None:
    late = lot(1, **CHIEF, transacted_on=days_ago(delay_days))
    assert evaluated(late).strength == Decimal(factor) * 3


def test_a_sale_weighs_a_tenth_of_a_purchase_and_is_trusted_as_much_less() -> None:
    signal = evaluated(lot(1, code="S", **CHIEF))
    assert (signal.side, signal.trigger_event) == (Side.SELL, "insider_sell")
    assert (signal.strength, signal.confidence) == (Decimal("0.3"), Decimal("0.05"))


def test_many_heavy_sales_are_a_signal_without_a_clusters_point() -> None:
    sellers = [
        lot(n, f"CHIEF {n}", "S", usd=2_000_000, shares_owned_following=Decimal(0), **CHIEF)
        for n in range(4)
    ]
    assert evaluated(*sellers[:3]).strength == Decimal("2.7")
    signal = evaluated(*sellers)
    assert (signal.strength, signal.side, signal.decline) == (Decimal("3.6"), Side.SELL, None)
    assert signal.consensus


@pytest.mark.parametrize(
    ("insiders", "strength"), [(1, "1.5"), (2, "4"), (3, "5.5"), (6, "10"), (7, "10")]
)
def test_distinct_buyers_make_a_cluster(insiders: int, strength: str) -> None:
    lots = [lot(n, f"PERSON {n}") for n in range(insiders)]
    assert evaluated(*lots).strength == Decimal(strength)


def test_a_cluster_may_be_asked_to_be_larger() -> None:
    strict = CorporateInsiderStrategy(InsiderSettings(cluster_insiders=3))
    lots = [lot(1, "DOE JANE"), lot(2, "ROE RICHARD")]
    signal = strict.evaluate(view(*lots), all_of(lots))
    assert (signal.strength, signal.consensus) == (Decimal(3), False)
    assert signal.decline is None, "three is the least, not more than it"


def test_one_insider_counts_once_however_the_name_is_written() -> None:
    reports = [
        lot(1, "DOE JANE A", reported_on=days_ago(1)),
        lot(2, "Doe  Jane A"),
    ]
    signal = evaluated(*reports)
    assert (signal.strength, signal.consensus) == (Decimal("1.5"), False)


def test_the_lots_of_one_report_add_up_to_one_trade() -> None:
    lots = [lot(n, usd=50_000, **CHIEF) for n in range(5)]
    signal = evaluated(*lots)
    assert signal.strength == Decimal("4.5") * Decimal("1.5"), "250,000 USD and half the holding"
    small = [lot(n, usd=4_000) for n in range(3)]
    assert evaluated(*small).strength == Decimal("0.75") * Decimal("1.5")


def test_direct_and_indirect_holdings_add_up() -> None:
    direct = lot(1, ownership="D", shares=Decimal(1_000), price_usd=Decimal(50))
    indirect = lot(
        2,
        ownership="I",
        shares=Decimal(999),
        price_usd=Decimal(50),
        shares_owned_following=Decimal(0),
    )
    assert evaluated(direct).strength == Decimal("1.5")
    # 1,999 of 10,000 shares is under a fifth.
    assert evaluated(direct, indirect).strength == Decimal("1.5")


def test_a_trade_that_several_owners_file_counts_once_with_the_weightiest_role() -> None:
    same: dict[str, Any] = {"shares": Decimal(5_000), "price_usd": Decimal(20)}
    fund = lot(1, "BIG FUND LP", **same, is_director=False, is_ten_percent_owner=True)
    partner = lot(2, "PARTNER PAT", **same)
    signal = evaluated(fund, partner)
    assert (signal.strength, signal.consensus) == (Decimal("2.25"), False)
    assert len(signal.used) == 2, "both filings are evidence"
    another_day = lot(1, "BIG FUND LP", **same, transacted_on=days_ago(3))
    assert evaluated(another_day, partner).consensus


def test_a_trade_filed_again_by_another_owner_sets_off_no_second_trade() -> None:
    same: dict[str, Any] = {"shares": Decimal(5_000), "price_usd": Decimal(200)}
    first, again = lot(1, "BIG FUND LP", **same), lot(2, "PARTNER PAT", **same, **CHIEF)
    signal = STRATEGY.evaluate(view(first, again, acted={"record-1"}), trigger("record-2"))
    assert signal.decline is DeclineReason.ALREADY_ACTED


def test_a_record_that_set_off_a_trade_does_so_only_once() -> None:
    one = lot(1, **CHIEF)
    signal = STRATEGY.evaluate(view(one, acted={"record-1"}), trigger("record-1"))
    assert signal.decline is DeclineReason.ALREADY_ACTED
    assert signal.text == "each of the 1 new purchases and sales already set off a trade"


@pytest.mark.parametrize(("usd", "acts"), [(249_999, False), (250_000, True)])
def test_an_insider_who_was_followed_is_followed_again_only_for_a_weightier_trade(
    usd: int, acts: bool
) -> None:
    before = lot(1, **CHIEF, reported_on=days_ago(1), shares=Decimal(1_000))
    new = lot(2, **CHIEF, shares=Decimal(1_000), price_usd=Decimal(usd) / 1_000)
    signal = STRATEGY.evaluate(view(before, new, acted={"record-1"}), trigger("record-2"))
    assert signal.decline is (None if acts else DeclineReason.ALREADY_ACTED)


def test_one_who_was_followed_still_counts_in_anothers_cluster() -> None:
    before, new = lot(1, "DOE JANE", reported_on=days_ago(1)), lot(2, "ROE RICHARD")
    signal = STRATEGY.evaluate(view(before, new, acted={"record-1"}), trigger("record-2"))
    assert (signal.strength, signal.decline) == (Decimal(4), None)


def test_sellers_take_half_their_weight_from_buyers() -> None:
    seller = lot(3, "SELLER SAM", "S", **CHIEF)
    signal = evaluated(lot(1, "DOE JANE"), lot(2, "ROE RICHARD"), seller)
    assert signal.side is Side.BUY
    assert signal.strength == Decimal("3.85")
    assert signal.confidence == (Decimal(3) / Decimal("3.3") * Decimal("0.75")).quantize(
        Decimal("0.000001")
    )


def test_as_much_on_either_side_is_no_direction() -> None:
    even = CorporateInsiderStrategy(InsiderSettings(sale_factor=Decimal(1)))
    lots = [lot(1, "DOE JANE"), lot(2, "ROE RICHARD", "S")]
    signal = even.evaluate(view(*lots), all_of(lots))
    assert signal.decline is DeclineReason.CONFLICTING_SIGNALS
    assert "DOE JANE (buy 100000 USD, 1.5)" in signal.text


@pytest.mark.parametrize(("least", "passes"), [("2.99", True), ("3", True), ("3.01", False)])
def test_the_strength_must_reach_its_least(least: str, passes: bool) -> None:
    strategy = CorporateInsiderStrategy(InsiderSettings(strength_min=Decimal(least)))
    one = lot(1, **CHIEF)
    signal = strategy.evaluate(view(one), all_of([one]))
    assert (signal.decline is None) is passes


@pytest.mark.parametrize(
    "title",
    [
        "CEO",
        "President & CEO",
        "President&CEO",
        "PRESIDENT",
        "Chief Executive Officer & Pres",
        "Exec. Chairman, Pres, & CEO",
        "Chairman & C.E.O.",
        "Chairman and Co-CEO",
        "Vice Chair of the Board, CoCEO",
        "COB and CEO",
        "Interim CFO",
        "EVP, CFO & Treasurer",
        "SVP-Finance and CFO",
        "EVP Chief Financial Officer",
        "Sr. Vice Pres., CFO",
        "President &amp; CEO",
        "President/Chief People Officer",
        "CFO & Chief Accounting Officer",
    ],
)
def test_a_title_of_the_companys_head(title: str) -> None:
    assert heads_company(title)


@pytest.mark.parametrize(
    "title",
    [
        "",
        "Vice President",
        "Vice-President",
        "EVP & President",
        "VP and President, Americas",
        "V.P. (President, Terminals)",
        "President, International",
        "President - East Division",
        "PRESIDENT, TECHNOLOGY",
        "Group President",
        "CEO Amazon Web Services",
        "CEO - Beauty",
        "Chief Executive Officer-EMEA",
        "EVP and Group CEO-VZ Business",
        "Deputy Chief Financial Officer",
        "Former President and CEO",
        "Special Advisor to the CEO",
        "Chief Accounting Officer",
        "Chairman of the Board",
        "See Remarks",
    ],
)
def test_a_title_of_anyone_else(title: str) -> None:
    assert not heads_company(title)
