"""Invent companies and their daily prices: a seeded random walk with a common market factor.

One symbol splits four for one, one is delisted midway, one has no prices at all; all of it follows from the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from simulators.world.prices import Bar, PriceTable
from simulators.world.records import Asset
from tradetrail.sessions import sessions

# Days of prices before the first day, so that a 20-day average exists on it.
RUN_UP_DAYS = 90
SPLIT_SYMBOL = "NVLT"
SPLIT_FACTOR = Decimal(4)
DELISTED_SYMBOL = "OLDM"
UNPRICED_SYMBOL = "PRVX"

_CENT = Decimal("0.01")
_MARKET_VOLATILITY = 0.008
_OWN_VOLATILITY = 0.013
_DRIFT = 0.0004

# symbol, name, GICS sector, first price in USD, mean daily volume
_COMPANIES: tuple[tuple[str, str, str, float, int], ...] = (
    ("AAPL", "Apple Inc.", "Information Technology", 185.6, 58_000_000),
    ("MSFT", "Microsoft Corporation", "Information Technology", 370.9, 24_000_000),
    ("BRK.B", "Berkshire Hathaway Inc. Class B", "Financials", 362.5, 3_600_000),
    ("NVLT", "Novolight Semiconductor Corp.", "Information Technology", 612.4, 9_100_000),
    ("QBIT", "Quorbit Systems Inc.", "Information Technology", 74.2, 4_200_000),
    ("CYRA", "Cyrano Software Inc.", "Information Technology", 128.3, 2_700_000),
    ("LUMX", "Lumexa Networks Inc.", "Information Technology", 41.7, 5_500_000),
    ("TALC", "Talcott Data Corp.", "Information Technology", 203.1, 1_900_000),
    ("OLDM", "Oldmarsh Devices Inc.", "Information Technology", 18.4, 1_100_000),
    ("PRVX", "Privex Holdings Inc.", "Financials", 0.0, 0),
    ("HRBK", "Harborbank Corp.", "Financials", 36.8, 12_000_000),
    ("MERF", "Meridian Farmers Financial Group", "Financials", 88.9, 2_300_000),
    ("PLNT", "Plainsmont Insurance Group", "Financials", 141.2, 1_400_000),
    ("STLC", "Sterling Creek Capital Inc.", "Financials", 57.5, 3_100_000),
    ("VTRX", "Vitarix Therapeutics Inc.", "Health Care", 96.4, 3_900_000),
    ("GENQ", "Genquest Diagnostics Corp.", "Health Care", 214.6, 1_200_000),
    ("MEDL", "Medloom Devices Inc.", "Health Care", 63.3, 2_600_000),
    ("CARX", "Carexion Health Inc.", "Health Care", 482.7, 900_000),
    ("PHNX", "Phenix Pharma Corp.", "Health Care", 29.1, 8_400_000),
    ("ARDN", "Arden Aerospace Corp.", "Industrials", 231.5, 1_800_000),
    ("BLTW", "Boltwright Industries Inc.", "Industrials", 112.7, 2_100_000),
    ("RAIL", "Railhead Freight Corp.", "Industrials", 67.9, 2_800_000),
    ("SKYM", "Skymont Defense Systems Inc.", "Industrials", 418.3, 1_000_000),
    ("DUNE", "Dunefield Oil & Gas Corp.", "Energy", 104.2, 6_700_000),
    ("PIPL", "Pipeline Partners of Ohio Inc.", "Energy", 33.6, 7_200_000),
    ("WNDR", "Windriver Renewables Inc.", "Energy", 21.9, 5_100_000),
    ("GRID", "Gridstone Electric Corp.", "Utilities", 71.4, 3_000_000),
    ("AQUA", "Aquafort Water Inc.", "Utilities", 128.8, 900_000),
    ("HRVS", "Harvestline Foods Inc.", "Consumer Staples", 58.2, 3_300_000),
    ("SOAP", "Soapwright Brands Corp.", "Consumer Staples", 146.1, 2_400_000),
    ("BREW", "Brewmont Beverages Inc.", "Consumer Staples", 43.5, 4_700_000),
    ("SHOP.A", "Shopwell Retail Corp. Class A", "Consumer Discretionary", 151.7, 6_100_000),
    ("MOTR", "Motorra Vehicles Inc.", "Consumer Discretionary", 248.4, 14_000_000),
    ("INNS", "Innsbrook Hotels Corp.", "Consumer Discretionary", 84.6, 1_700_000),
    ("FILM", "Filmgate Media Inc.", "Communication Services", 92.3, 5_900_000),
    ("TELL", "Tellwick Communications Corp.", "Communication Services", 16.8, 21_000_000),
    ("ROAM", "Roamcast Wireless Inc.", "Communication Services", 38.7, 9_300_000),
    ("ACRE", "Acrehold Property Trust", "Real Estate", 52.1, 1_600_000),
    ("TOWR", "Towerline Realty Corp.", "Real Estate", 193.9, 1_300_000),
    ("ORES", "Oresund Mining Corp.", "Materials", 47.6, 4_400_000),
    ("CHEM", "Chemford Materials Inc.", "Materials", 81.0, 2_200_000),
)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What one symbol's bars are made of."""

    symbol: str
    first_price: float
    volume: int
    days: list[date]
    market: list[float]


def make_assets() -> dict[str, Asset]:
    """Return the companies by symbol; they do not depend on the seed."""
    return {symbol: Asset(symbol, name, sector) for symbol, name, sector, _, _ in _COMPANIES}


def make_prices(seed: int, start: date, end: date) -> PriceTable:
    """Return prices from some weeks before ``start`` to ``end``.

    Raises ValueError when the exchange's calendar does not reach so far.
    """
    days = sessions(start - timedelta(days=RUN_UP_DAYS), end)
    random = Random(f"{seed}:market")
    market = [random.gauss(_DRIFT, _MARKET_VOLATILITY) for _ in days]
    inside = [position for position, day in enumerate(days) if day >= start]
    middle = inside[len(inside) // 2] if inside else len(days)
    bars: dict[str, list[Bar]] = {}
    for symbol, _, _, price, volume in _COMPANIES:
        if symbol == UNPRICED_SYMBOL:
            continue
        traded = days[:middle] if symbol == DELISTED_SYMBOL else days
        split_on = days[middle] if symbol == SPLIT_SYMBOL and middle < len(days) else None
        walk = _Walk(symbol, price, volume, traded, market)
        bars[symbol] = _walk(walk, split_on, Random(f"{seed}:market:{symbol}"))
    return PriceTable([symbol for symbol in bars if bars[symbol]], lambda symbol: bars[symbol])


def _walk(walk: _Walk, split_on: date | None, random: Random) -> list[Bar]:
    bars = []
    last = walk.first_price * random.uniform(0.9, 1.1)
    beta = random.uniform(0.6, 1.4)
    for day, common in zip(walk.days, walk.market, strict=False):
        factor = Decimal(1)
        if day == split_on:
            factor = SPLIT_FACTOR
            last /= float(SPLIT_FACTOR)
        opened = last * math.exp(random.gauss(0, 0.004))
        close = opened * math.exp(beta * common + random.gauss(0, _OWN_VOLATILITY))
        high = max(opened, close) * math.exp(abs(random.gauss(0, 0.005)))
        low = min(opened, close) * math.exp(-abs(random.gauss(0, 0.005)))
        volume = int(walk.volume * math.exp(random.gauss(0, 0.3)))
        opened_usd, close_usd = _cents(opened), _cents(close)
        bars.append(
            Bar(
                symbol=walk.symbol,
                session_on=day,
                open=opened_usd,
                high=max(_cents(high), opened_usd, close_usd),
                low=min(_cents(low), opened_usd, close_usd),
                close=close_usd,
                volume=volume * int(SPLIT_FACTOR) if split_on and day >= split_on else volume,
                split=factor,
            )
        )
        last = float(close_usd)
    return bars


def _cents(price: float) -> Decimal:
    return max(Decimal(price).quantize(_CENT, ROUND_HALF_UP), _CENT)
