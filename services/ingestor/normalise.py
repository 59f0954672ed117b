"""From a vendor's row to a record: what identifies it, what it says, what is odd about it. Pure.

A record's content is every documented field except those the vendor computes anew each day (look-ahead: they tell how
the price moved after the trade) and its own bookkeeping. Rows of equal content are numbered in order: separate lots of
one filing look exactly alike. Content and number together are hashed; the ledger decides which record that hash is.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from services.ingestor.business_days import business_days_after
from services.ingestor.fields import (
    Row,
    day_text,
    flag_of,
    number_of,
    read_days,
    read_range,
    text_of,
)
from services.ingestor.flags import Flag
from services.ingestor.tickers import read_ticker
from tradetrail.events.generated import Direction, RecordKind
from tradetrail.settings import canonical_json

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

# Recomputed daily, or set by the vendor without a change of the disclosure: no part of a record's identity.
LOOK_AHEAD = frozenset({"ExcessReturn", "PriceChange", "SPYChange", "last_modified", "uploaded"})
# Source: the STOCK Act's 45 days, and Form 4's two business days.
_CONGRESS_LAG_DAYS_MAX = 45
_INSIDER_LAG_BUSINESS_DAYS_MAX = 2
_PRICE_USD_MAX = 10_000
# The one share that really trades above that.
_PRICED_ABOVE = frozenset({"BRK.A"})

# More rows of equal content than one run delivers records: no number is higher.
OCCURRENCES_MAX = 25_000

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FetchedRow:
    """Where a row was in the answers: the call, its place there from 0, and the row itself."""

    call_id: str
    row_number: int
    fields: Row


@dataclass(frozen=True, slots=True)
class Record:
    """One disclosed trade as a row tells it; ``facts`` are the fields of the event that come from the row."""

    person_key: str
    reported_on: date | None
    symbol: str | None
    content: Content
    occurrence: int
    content_hash: str
    facts: dict[str, Any]
    flags: tuple[str, ...]
    call_id: str
    row_number: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one row says, before rows of equal content are numbered."""

    person_key: str
    symbol: str | None
    content: Content
    facts: dict[str, Any]
    flags: set[Flag]


def congress_records(rows: Iterable[FetchedRow]) -> list[Record]:
    """Return the records of congress rows (the vendor's V1 shape), in their order."""
    return _numbered("quiverquant_congress", rows, _congress)


def insider_records(rows: Iterable[FetchedRow]) -> list[Record]:
    """Return the records of insider rows, in their order."""
    return _numbered("quiverquant_insider", rows, _insider)


def occurrence_of(data_source: str, record: Record, content_hash: str) -> int | None:
    """Return the number, from 1, with which a record's content has that hash; None when it has it with none."""
    begun = _hash_begun(data_source, canonical_json(record.content))
    numbers = range(1, OCCURRENCES_MAX + 1)
    return next((n for n in numbers if _hash_ended(begun, n) == content_hash), None)


def _hash_begun(data_source: str, content_text: str) -> Hash:
    # What is hashed is [data source, content, number] as canonical JSON; the number comes last, and is often guessed.
    return hashlib.sha256(f"[{canonical_json(data_source)},{content_text}".encode())


def _hash_ended(begun: Hash, occurrence: int) -> str:
    whole = begun.copy()
    whole.update(f",{occurrence}]".encode())
    return whole.hexdigest()


def congress_day(row: Row) -> date | None:
    """Return the day a congress row was reported; None when it can't be read."""
    return read_days(None, text_of(row, "ReportDate", set()), set())[1]


def _numbered(
    data_source: str, rows: Iterable[FetchedRow], read: Callable[[Row], _Reading]
) -> list[Record]:
    seen: Counter[str] = Counter()
    records = []
    for row in rows:
        reading = read(row.fields)
        key = canonical_json(reading.content)
        seen[key] += 1
        begun = _hash_begun(data_source, key)
        flags = reading.flags | ({Flag.DUPLICATE_LOT} if seen[key] > 1 else set())
        records.append(
            Record(
                person_key=reading.person_key,
                reported_on=reading.facts["reported_on"],
                symbol=reading.symbol,
                content=reading.content,
                occurrence=seen[key],
                content_hash=_hash_ended(begun, seen[key]),
                facts=reading.facts,
                flags=tuple(sorted(flag.value for flag in flags)),
                call_id=row.call_id,
                row_number=row.row_number,
            )
        )
    return records


def _congress(row: Row) -> _Reading:
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
    return _Reading(
        person_key, ticker.symbol, content, facts, {*flags, *ticker.flags, *range_flags}
    )


def _insider(row: Row) -> _Reading:
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
    return _Reading(person_key, ticker.symbol, content, facts, {*flags, *ticker.flags})


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
