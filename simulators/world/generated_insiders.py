"""Invent Form 4 rows: grants and exercises by the dozen, open-market purchases few and in clusters."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from simulators.world.folder_disclosures import insider_known_at
from simulators.world.generated_market import make_assets
from simulators.world.prices import Prices
from simulators.world.records import Fields, InsiderRow
from tradetrail.sessions import sessions

# Rows filed before the first day: what a first run finds already there.
HISTORY_DAYS = 75
_ROWS_PER_SESSION = 6
_CLUSTER_EVERY_SESSIONS = 15
_CLUSTER_SYMBOLS = ("AAPL", "HRBK", "MSFT", "DUNE", "VTRX", "MOTR", "ORES", "FILM")

# Form 4 code, share of rows; the shares of real rows, 2022 and 2025.
_CODES: tuple[tuple[str, float], ...] = (
    ("A", 31.9),
    ("M", 26.0),
    ("S", 22.2),
    ("F", 9.6),
    ("G", 3.4),
    ("P", 1.8),
    ("C", 1.5),
    ("D", 1.3),
    ("J", 1.2),
    ("X", 0.12),
    ("I", 0.1),
    ("L", 0.1),
    ("56", 0.1),
)
_ACQUIRES = frozenset("AMPCXLI") | {"56"}
_PRICED = frozenset("PSF")
# ruff: noqa: SIM905 - a line of names reads better than a list of quoted ones.
_SURNAMES = (
    "ALDERMAN BIRKETT CASTELLAN DEVEREUX ESTERHAZY FENWICK GALBRAITH HOLLOWAY IVERSEN JANSSEN KOWALCZYK LINDQVIST "
    "MONTAGUE NAKAGAWA OSTERMAN PRITCHARD ROSENTHAL SAVARIN TREMAYNE VASQUEZ WAKEFIELD YAMADA"
).split()
_GIVEN_NAMES = (
    "ADRIAN BRIDGET CALVIN DIANA EMIL FRANCES GORDON HELENA ISAAC JOANNA KENNETH LYDIA".split()
)
_TITLES = (
    "Chief Executive Officer",
    "CFO",
    "EVP & General Counsel",
    "Chief Operating Officer",
    None,
    None,
)
_ODD_TICKERS = ("-", "N/A", "SHOP, SHOP.A", "fo9jod#z")


def make_insiders(seed: int, start: date, end: date, prices: Prices) -> list[InsiderRow]:
    """Return the rows filed from some weeks before ``start`` to ``end``, in the order they became known."""
    random = Random(f"{seed}:insiders")
    days = sessions(start - timedelta(days=HISTORY_DAYS), end)
    symbols = sorted(make_assets())
    people = {symbol: [_person(random) for _ in range(5)] for symbol in symbols}
    codes, weights = zip(*_CODES, strict=True)
    rows = []
    for position, day in enumerate(days):
        for _ in range(random.randint(0, 2 * _ROWS_PER_SESSION)):
            symbol = random.choice(symbols)
            code = random.choices(codes, weights)[0]
            owner = random.choice(people[symbol])
            rows += _filing(random, symbol, code, owner, day, prices)
        if position % _CLUSTER_EVERY_SESSIONS == 7:
            number = position // _CLUSTER_EVERY_SESSIONS
            symbol = _CLUSTER_SYMBOLS[number % len(_CLUSTER_SYMBOLS)]
            for owner in people[symbol][:3]:
                rows += _filing(random, symbol, "P", owner, day, prices)[:1]
    for row in random.sample(rows, min(len(_ODD_TICKERS), len(rows))):
        row["Ticker"] = random.choice(_ODD_TICKERS)
    known = [_known(row) for row in rows]
    return sorted((row for row in known if row.filed_on <= end), key=lambda row: row.known_at)


def _person(random: Random) -> tuple[str, str | None]:
    name = (
        f"{random.choice(_SURNAMES)} {random.choice(_GIVEN_NAMES)} {random.choice('ABCDEFGHJKLM')}"
    )
    return name, random.choice(_TITLES)


def _filing(
    random: Random, symbol: str, code: str, owner: tuple[str, str | None], day: date, prices: Prices
) -> list[Fields]:
    """Return one filing's rows: now and then several lots at different prices."""
    bar = prices.bar(symbol, day)
    late_days = random.choices((2, 1, 0, 3, 14), (50, 25, 10, 10, 5))[0]
    filed_on = day + timedelta(days=late_days)
    filed_on += timedelta(days=max(0, 7 - filed_on.weekday()) if filed_on.weekday() > 4 else 0)
    filed_at = datetime.combine(
        filed_on, time(random.randint(13, 21), random.randrange(60), random.randrange(60))
    )
    uploaded_at = filed_at + timedelta(
        seconds=random.randint(20, 90), milliseconds=random.randrange(1000)
    )
    held = float(random.randint(1, 400) * 500)
    name, title = owner
    rows: list[Fields] = []
    for _ in range(random.choices((1, 2, 4), (80, 15, 5))[0]):
        shares = float(random.randint(1, 80) * 125)
        if random.random() < 0.05:
            shares += 0.372
        price: float | None = 0.0
        if code in _PRICED and bar is not None:
            spread = bar.high - bar.low
            price = float(
                bar.low + (spread * random.randint(0, 100) / 100).quantize(Decimal("0.0001"))
            )
        elif code == "M" and bar is not None and random.random() < 0.4:
            price = float((bar.open / 3).quantize(Decimal("0.01")))
        elif random.random() < 0.1:
            price = None
        held = held + shares if code in _ACQUIRES else max(held - shares, 0.0)
        rows.append(
            {
                "Ticker": symbol,
                "Date": f"{day.isoformat()}T00:00:00.000",
                "Name": name,
                "AcquiredDisposedCode": "A" if code in _ACQUIRES else "D",
                "TransactionCode": code,
                "Shares": shares,
                "PricePerShare": price,
                "SharesOwnedFollowing": held,
                "fileDate": filed_at.isoformat(timespec="milliseconds"),
                "officerTitle": title,
                "isDirector": title is None,
                "isOfficer": title is not None,
                "isTenPercentOwner": False,
                "isOther": False,
                "directOrIndirectOwnership": "D" if random.random() < 0.9 else "I",
                "uploaded": uploaded_at.isoformat(timespec="milliseconds"),
            }
        )
    return rows


def _known(fields: Fields) -> InsiderRow:
    filed_on = date.fromisoformat(fields["fileDate"][:10])
    known_at = insider_known_at(filed_on, fields["uploaded"], fields["fileDate"])
    return InsiderRow(fields, filed_on, known_at)
