"""Invent a half year of congressional disclosures, clusters of buyers and the real dirt included.

A cluster is several members who buy one symbol and report it within days of each other, and of whom some sell it two
months later; around the clusters everybody trades at random. ``generated_dirt`` then spoils a realistic share of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from simulators.world.folder_disclosures import day_after
from simulators.world.generated_dirt import spoil
from simulators.world.generated_market import UNPRICED_SYMBOL, make_assets
from simulators.world.generated_members import Member, make_members
from simulators.world.records import CongressRow, Fields

# Rows reported before the first day: what a first run finds already there.
HISTORY_DAYS = 75
# How many random trades a simulated day brings, on average: about five in total with the clusters.
_TRADES_PER_DAY = 3.4
_CLUSTER_EVERY_DAYS = 7
_CLUSTER_BUYERS = (4, 8)
_CLUSTER_REPORT_SPREAD_DAYS = 8
_SALE_AFTER_DAYS = (45, 75)
_LAG_MEDIAN_DAYS = 24
# Of every cluster, the symbols people look for first come most often.
_FAVOURITES = ("AAPL", "MSFT", "AAPL", "NVLT", "BRK.B")

# upper bound inclusive in the text, lower bound as the vendor's Amount
RANGES: tuple[tuple[str, str], ...] = (
    ("$1,001 - $15,000", "1001.0"),
    ("$15,001 - $50,000", "15001.0"),
    ("$50,001 - $100,000", "50001.0"),
    ("$100,001 - $250,000", "100001.0"),
    ("$250,001 - $500,000", "250001.0"),
    ("$500,001 - $1,000,000", "500001.0"),
    ("$1,000,001 - $5,000,000", "1000001.0"),
)
_RANGE_WEIGHTS = (70, 17, 6, 4, 2, 0.8, 0.2)
_CLUSTER_RANGE_WEIGHTS = (25, 40, 20, 10, 5, 0, 0)


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade before it becomes a row."""

    member: Member
    symbol: str
    transaction: str
    traded_on: date
    reported_on: date
    band: tuple[str, str]


def make_congress(seed: int, start: date, end: date) -> list[CongressRow]:
    """Return the rows reported from some weeks before ``start`` to ``end``, oldest report first."""
    random = Random(f"{seed}:congress")
    members = make_members(seed)
    symbols = sorted(make_assets())
    first = start - timedelta(days=HISTORY_DAYS)
    trades = _clusters(random, members, symbols, first, end) + _singles(
        random, members, symbols, first, end
    )
    trades = [trade for trade in trades if first <= trade.reported_on <= end]
    trades.sort(
        key=lambda trade: (trade.reported_on, trade.member.bioguide, trade.symbol, trade.traded_on)
    )
    names = {symbol: asset.name for symbol, asset in make_assets().items()}
    rows = []
    for trade in trades:
        fields = _fields(trade, names[trade.symbol])
        known_at = day_after(trade.reported_on)
        rows.append(CongressRow(fields, trade.reported_on, known_at, state=trade.member.state))
    spoiled = spoil(Random(f"{seed}:dirt"), rows, end)
    return sorted(spoiled, key=lambda row: row.reported_on)


def _clusters(
    random: Random, members: list[Member], symbols: list[str], first: date, end: date
) -> list[Trade]:
    trades = []
    centre = first + timedelta(days=random.randint(0, _CLUSTER_EVERY_DAYS))
    number = 0
    while centre <= end:
        favourite = _FAVOURITES[number // 2 % len(_FAVOURITES)]
        symbol = favourite if number % 2 == 0 else random.choice(symbols)
        for member in random.sample(members, random.randint(*_CLUSTER_BUYERS)):
            reported_on = _weekday(
                centre + timedelta(days=random.randint(0, _CLUSTER_REPORT_SPREAD_DAYS))
            )
            traded_on = _weekday(reported_on - timedelta(days=random.randint(3, 32)))
            band = random.choices(RANGES, _CLUSTER_RANGE_WEIGHTS)[0]
            trades.append(Trade(member, symbol, "Purchase", traded_on, reported_on, band))
            if random.random() < 0.7:
                later = timedelta(days=random.randint(*_SALE_AFTER_DAYS))
                sale = random.choice(("Sale (Full)", "Sale (Full)", "Sale (Partial)", "Sale"))
                sold_on = _weekday(traded_on + later)
                trades.append(
                    Trade(member, symbol, sale, sold_on, _weekday(reported_on + later), band)
                )
        centre += timedelta(days=_CLUSTER_EVERY_DAYS)
        number += 1
    return trades


def _singles(
    random: Random, members: list[Member], symbols: list[str], first: date, end: date
) -> list[Trade]:
    trades = []
    priced = [symbol for symbol in symbols if symbol != UNPRICED_SYMBOL]
    active = random.sample(members, len(members) * 3 // 4)
    for _ in range(int(_TRADES_PER_DAY * (end - first).days)):
        reported_on = _weekday(first + timedelta(days=random.randint(0, (end - first).days)))
        lag_days = min(int(random.lognormvariate(0, 0.75) * _LAG_MEDIAN_DAYS), 900)
        symbol = UNPRICED_SYMBOL if random.random() < 0.01 else random.choice(priced)
        transaction = random.choices(
            ("Purchase", "Sale (Full)", "Sale (Partial)", "Sale"), (52, 30, 17, 1)
        )[0]
        traded_on = _weekday(reported_on - timedelta(days=lag_days))
        band = random.choices(RANGES, _RANGE_WEIGHTS)[0]
        trades.append(
            Trade(random.choice(active), symbol, transaction, traded_on, reported_on, band)
        )
    return trades


def _weekday(day: date) -> date:
    """Return ``day``, or the Friday before a weekend."""
    return day - timedelta(days=max(day.weekday() - 4, 0))


def _fields(trade: Trade, company: str) -> Fields:
    member = trade.member
    in_house = member.chamber == "House"
    return {
        "Representative": member.name,
        "BioGuideID": member.bioguide,
        "ReportDate": trade.reported_on.isoformat(),
        "TransactionDate": trade.traded_on.isoformat(),
        "Ticker": trade.symbol,
        "Transaction": trade.transaction,
        "Range": trade.band[0],
        "House": "Representatives" if in_house else "Senate",
        "District": f"{member.state}{member.district:02d}" if member.district is not None else None,
        "Amount": trade.band[1],
        "Party": member.party,
        "last_modified": (trade.reported_on + timedelta(days=1)).isoformat(),
        "TickerType": "ST" if in_house else "Stock",
        "Description": company,
        "ExcessReturn": None,
        "PriceChange": None,
        "SPYChange": None,
    }
