"""What one vendor's row says, what of it identifies a record, and what is odd about it. Pure.

A record's content is every documented field except those the vendor computes anew each day (look-ahead: they tell how
the price moved after the trade) and its own bookkeeping.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.ingestor.rows.business_days import business_days_after
from services.ingestor.rows.fields import (
    Row,
    day_text,
    flag_of,
    number_of,
    read_days,
    read_range,
    text_of,
)
from services.ingestor.rows.flags import Flag
from services.ingestor.rows.tickers import read_ticker
from tradetrail.events.generated import Direction, RecordKind
from tradetrail.settings import canonical_json

# Recomputed daily, or set by the vendor without a change of the disclosure: no part of a record's identity.
LOOK_AHEAD = frozenset({"ExcessReturn", "PriceChange", "SPYChange", "last_modified", "uploaded"})
# Source: the STOCK Act's 45 days, and Form 4's two business days.
_CONGRESS_LAG_DAYS_MAX = 45
_INSIDER_LAG_BUSINESS_DAYS_MAX = 2
_PRICE_USD_MAX = 10_000
# The one share that really trades above that.
_PRICED_ABOVE = frozenset({"BRK.A"})


Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one row says, before rows of equal content are numbered."""

    person_key: str
    symbol: str | None
    content: Content
    facts: dict[str, Any]
    flags: set[Flag]


def congress_day(row: Row) -> date | None:
    """Return the day a congress row was reported; None when it can't be read."""
    return read_days(None, text_of(row, "ReportDate", set()), set())[1]


def congress_reading(row: Row) -> Reading:
    """Return what a congress row says (the vendor's V1 shape)."""
    flags: set[Flag] = set()
    text = {name: text_of(row, name, flags) for name in _CONGRESS_TEXTS}
    traded_on, reported_on = read_days(text["TransactionDate"], text["ReportDate"], flags)
    if traded_on and reported_on and (reported_on - traded_on).days > _CONGRESS_LAG_DAYS_MAX:
        flags.add(Flag.LATE_FILING)
    ticker = read_ticker(text["Ticker"], text["TickerType"])
    low, high, range_flags = read_range(text["Range"])
    if low is None and (amount := number_of({"a": text["Amount"]}, "a", set())) is not None:
        low = max(amount, Decimal(0))
    direction = _congress_direction(text["Transaction"], flags)
    if not text["BioGuideID"] and not text["Representative"]:
        flags.add(Flag.UNKNOWN_PERSON)
    facts = {
        "kind": RecordKind.CONGRESS,
        "person_id": text["BioGuideID"],
        "person_name": text["Representative"] or "",
        "chamber": text["House"],
        "party": text["Party"],
        "district": text["District"],
        "ticker_text": _untouched(row, "Ticker", text["Ticker"]),
        "asset_type": text["TickerType"],
        "description": text["Description"],
        "transaction_type": text["Transaction"] or "",
        "direction": direction,
        "transacted_on": traded_on,
        "reported_on": reported_on,
        "amount_text": text["Range"],
        "amount_usd_min": low,
        "amount_usd_max": high,
        "source_fields": _source(row),
    }
    content = {name: day_text(v) if name.endswith("Date") else v for name, v in text.items()}
    person_key = text["BioGuideID"] or f"name:{(text['Representative'] or '').casefold()}"
    return Reading(person_key, ticker.symbol, content, facts, {*flags, *ticker.flags, *range_flags})


def insider_reading(row: Row) -> Reading:
    """Return what an insider row says."""
    flags: set[Flag] = set()
    text = {name: text_of(row, name, flags) for name in _INSIDER_TEXTS}
    numbers = {name: number_of(row, name, flags) for name in _INSIDER_NUMBERS}
    roles = {name: flag_of(row, name, flags) for name in _INSIDER_FLAGS}
    traded_on, reported_on = read_days(text["Date"], text["fileDate"], flags)
    if (
        traded_on
        and reported_on
        and business_days_after(traded_on, reported_on) > _INSIDER_LAG_BUSINESS_DAYS_MAX
    ):
        flags.add(Flag.LATE_FILING)
    ticker = read_ticker(text["Ticker"])
    code = (text["TransactionCode"] or "").upper()
    price, shares = numbers["PricePerShare"], numbers["Shares"]
    _flag_price(code, price, ticker.symbol, flags)
    if not text["Name"]:
        flags.add(Flag.UNKNOWN_PERSON)
    total = _notional(price, shares)
    facts = {
        "kind": RecordKind.INSIDER,
        "person_name": text["Name"] or "",
        "ticker_text": _untouched(row, "Ticker", text["Ticker"]),
        "transaction_type": code,
        "direction": _INSIDER_DIRECTIONS.get(code, Direction.OTHER),
        "transacted_on": traded_on,
        "reported_on": reported_on,
        "amount_usd_min": total,
        "amount_usd_max": total,
        "officer_title": text["officerTitle"],
        "is_director": roles["isDirector"],
        "is_officer": roles["isOfficer"],
        "is_ten_percent_owner": roles["isTenPercentOwner"],
        "acquired_disposed_code": text["AcquiredDisposedCode"],
        "shares": shares,
        "price_usd": price,
        "shares_owned_following": numbers["SharesOwnedFollowing"],
        "ownership": text["directOrIndirectOwnership"],
        "source_fields": _source(row),
    }
    plain = {name: None if n is None else format(n.normalize(), "f") for name, n in numbers.items()}
    days = {"Date": day_text(text["Date"]), "fileDate": day_text(text["fileDate"])}
    content = {**text, **days, **plain, **roles}
    person_key = f"name:{(text['Name'] or '').casefold()}"
    return Reading(person_key, ticker.symbol, content, facts, {*flags, *ticker.flags})


def _congress_direction(transaction: str | None, flags: set[Flag]) -> Direction:
    word = (transaction or "").casefold()
    if word.startswith("purchase"):
        return Direction.BUY
    if word.startswith("sale"):
        return Direction.SELL
    if word.startswith("exchange"):
        flags.add(Flag.EXCHANGE)
        return Direction.EXCHANGE
    flags.add(Flag.UNKNOWN_TRANSACTION)
    return Direction.OTHER if word else Direction.UNKNOWN


def _flag_price(code: str, price: Decimal | None, symbol: str | None, flags: set[Flag]) -> None:
    if code in _INSIDER_DIRECTIONS and not price:
        flags.add(Flag.PRICE_MISSING)
    if price is not None and price > _PRICE_USD_MAX and symbol not in _PRICED_ABOVE:
        flags.add(Flag.PRICE_IMPLAUSIBLE)


def _notional(price: Decimal | None, shares: Decimal | None) -> Decimal | None:
    if price is None or shares is None or not price * shares:
        return None
    total = price * shares
    return total if total.adjusted() < 28 else None


def _source(row: Row) -> str:
    # NaN and numbers beyond a double's range are read as such, but can't be written in JSON: they become their names.
    finite = {
        name: repr(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
    # Half a surrogate pair can be written in JSON, but not in UTF-8: it stays escaped.
    return canonical_json(finite).encode(errors="backslashreplace").decode()


def _untouched(row: Row, name: str, read: str | None) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value.isprintable() else read


# Form 4's only open-market codes; A, M, C and the rest are grants, exercises, conversions.
_INSIDER_DIRECTIONS = {"P": Direction.BUY, "S": Direction.SELL}
_CONGRESS_TEXTS = (
    "Representative",
    "BioGuideID",
    "ReportDate",
    "TransactionDate",
    "Ticker",
    "Transaction",
    "Range",
    "House",
    "District",
    "Amount",
    "Party",
    "TickerType",
    "Description",
)
_INSIDER_TEXTS = (
    "Ticker",
    "Name",
    "Date",
    "fileDate",
    "AcquiredDisposedCode",
    "TransactionCode",
    "officerTitle",
    "directOrIndirectOwnership",
)
_INSIDER_NUMBERS = ("Shares", "PricePerShare", "SharesOwnedFollowing")
_INSIDER_FLAGS = ("isDirector", "isOfficer", "isTenPercentOwner", "isOther")
