"""An invented world follows from its seed, looks like the real one, and gives a strategy something to do."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta

import pytest

from simulators.world import DEFAULT_END, DEFAULT_START, World, open_world
from simulators.world.generated_market import (
    DELISTED_SYMBOL,
    SPLIT_SYMBOL,
    UNPRICED_SYMBOL,
)
from tradetrail.errors import UsageError
from tradetrail.sessions import sessions

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> World:
    return open_world(None, request.param)


def fingerprint(world: World) -> object:
    prices = world.prices
    bars = [prices.bars(symbol, date.min, date.max) for symbol in prices.symbols()]
    return bars, world.congress, world.insiders, world.committees, world.assets


def test_the_same_seed_makes_the_same_world(world: World) -> None:
    seed = getattr(world, "seed")  # noqa: B009 - only invented worlds have one.
    assert fingerprint(open_world(None, seed)) == fingerprint(world)
    assert fingerprint(open_world(None, seed + 100)) != fingerprint(world)


def test_another_process_makes_the_same_world() -> None:
    script = (
        "import hashlib; from simulators.world import open_world; w = open_world(None, 1);"
        "print(hashlib.sha256(repr((w.congress, w.insiders, w.committees)).encode()).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=180
        ).stdout
        for _ in range(2)
    }
    assert len(told) == 1


def test_making_it_takes_less_than_two_seconds() -> None:
    sessions(DEFAULT_START, DEFAULT_END)  # The calendar is read once a process.
    started_s = time.process_time()
    open_world(None, 9).check()
    assert time.process_time() - started_s < 2


def test_bars_are_sound_and_cover_the_sessions(world: World) -> None:
    days = sessions(DEFAULT_START - timedelta(days=60), DEFAULT_END)
    for symbol in world.prices.symbols():
        bars = world.prices.bars(symbol, days[0], days[-1])
        assert all(0 < bar.low <= min(bar.open, bar.close) for bar in bars)
        assert all(bar.high >= max(bar.open, bar.close) and bar.volume > 0 for bar in bars)
        if symbol != DELISTED_SYMBOL:
            assert [bar.session_on for bar in bars] == days


def test_one_splits_one_is_delisted_one_has_no_prices(world: World) -> None:
    prices = world.prices
    splits = [
        bar
        for symbol in prices.symbols()
        for bar in prices.bars(symbol, date.min, date.max)
        if bar.split != 1
    ]
    assert [(bar.symbol, int(bar.split)) for bar in splits] == [(SPLIT_SYMBOL, 4)]
    before = prices.last_bar(SPLIT_SYMBOL, splits[0].session_on - timedelta(days=1))
    assert before is not None
    assert 3 < before.close / splits[0].open < 5
    last = prices.last_bar(DELISTED_SYMBOL, DEFAULT_END)
    assert last is not None
    assert DEFAULT_START < last.session_on < DEFAULT_END - timedelta(days=30)
    assert UNPRICED_SYMBOL in world.assets
    assert UNPRICED_SYMBOL not in prices.symbols()


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
def test_members_buy_together_within_the_simulated_days_and_sell_later(
    world: World, symbol: str
) -> None:
    rows = [
        row
        for row in world.congress
        if row.fields["Ticker"] == symbol and row.reported_on >= DEFAULT_START
    ]
    buys = [row for row in rows if row.fields["Transaction"] == "Purchase"]
    best = max(
        len(
            {
                other.fields["BioGuideID"]
                for other in buys
                if 0 <= (row.reported_on - other.reported_on).days <= 10
            }
        )
        for row in buys
    )
    assert best >= 4
    assert sum(row.fields["Transaction"].startswith("Sale") for row in rows) >= 4


def test_the_real_dirt_is_there(world: World) -> None:
    rows = [row.fields for row in world.congress]
    tickers = Counter(row["Ticker"] for row in rows)
    assert 0.05 < tickers["--"] / len(rows) < 0.2
    assert any("-" in ticker for ticker in tickers if ticker not in ("--", "BTC-USD", "ETH-USD"))
    assert any(ticker != ticker.upper() for ticker in tickers)
    assert any("     " in ticker or "," in ticker or ticker.startswith("--") for ticker in tickers)
    assert {"Exchange", "Receive"} <= {row["Transaction"] for row in rows}
    ranges = {row["Range"] for row in rows}
    assert {"$1,001 -", "$1,000,000 +", "$1,000 - $15,000", "Over $50,000,000"} <= ranges
    assert {"Municipal Security", "Corporate Bond", None} <= {row["TickerType"] for row in rows}
    assert any(row["TransactionDate"].startswith("0") for row in rows)
    assert any(len(row["TransactionDate"]) > 10 for row in rows)
    assert any(row["BioGuideID"] is None for row in rows)
    repeated = Counter(tuple(sorted(row.items(), key=str)) for row in rows)
    assert sum(count for count in repeated.values() if count > 1) > len(rows) // 20


def test_some_rows_are_late(world: World) -> None:
    lags = []
    for row in world.congress:
        try:
            traded_on = date.fromisoformat(row.fields["TransactionDate"])
        except ValueError:
            continue
        lags.append((row.reported_on - traded_on).days)
    assert 0.05 < sum(45 < lag < 10_000 for lag in lags) / len(lags) < 0.3
    assert any(lag < 0 for lag in lags)


def test_some_rows_are_corrected_or_vanish_later(world: World) -> None:
    replaced = [row for row in world.congress if row.replaced_at is not None]
    later = [
        row
        for row in world.congress
        if row.fields["last_modified"] > (row.reported_on + timedelta(days=1)).isoformat()
    ]
    assert 5 <= len(later) < len(replaced) <= len(later) + 5
    for row in later:
        assert any(
            old.replaced_at == row.known_at and old.reported_on == row.reported_on
            for old in replaced
        )


def test_grants_and_exercises_outnumber_purchases(world: World) -> None:
    codes = Counter(row.fields["TransactionCode"] for row in world.insiders)
    assert codes["A"] + codes["M"] > 10 * codes["P"] > 100
    assert all(row.filed_on <= DEFAULT_END for row in world.insiders)


def test_committees_seat_known_members(world: World) -> None:
    first, second = world.committees
    assert first.as_of < DEFAULT_START < second.as_of < DEFAULT_END
    assert first.committees != second.committees
    known = {member["bioguide"] for member in first.members}
    assert len(known) == 60
    for committee in first.committees:
        assert {seat["id"] for seat in committee["members"]} <= known
        assert len({seat["id"] for seat in committee["members"]}) == len(committee["members"]) >= 8
    members = {row.fields["BioGuideID"] for row in world.congress} - {None}
    assert members <= known


def test_a_world_can_be_one_day_long() -> None:
    day = date(2024, 3, 4)
    short = open_world(None, 1, day, day)
    short.check()
    assert short.prices.bar("AAPL", day) is not None
    with pytest.raises(UsageError, match="end"):
        open_world(None, 1, day, day - timedelta(days=1))
