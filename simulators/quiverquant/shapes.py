"""The vendor's row shapes, made from V1 rows: V1 itself, V2, and the House and Senate variants.

ExcessReturn, PriceChange and SPYChange are recomputed by the vendor every day. Here they are made up from the row's
place and the simulated day, so that they change daily as well: who hashes a whole row, or trades on them, is found out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from simulators.world import CongressRow

Fields = dict[str, Any]
Shape = Callable[[CongressRow, int, date], Fields]

# The vendor began to stamp uploads on this day; rows from before carry none.
# Source: notes on live answers; see the module's documentation page.
UPLOAD_STAMPS_FROM = date(2023, 8, 28)
_PRIME = 7919
_SPREAD = 20_011
_SPY_SPREAD = 4_001


def look_ahead(index: int, day: date) -> tuple[float, float, float]:
    """Return (ExcessReturn, PriceChange, SPYChange) in percent of row ``index`` on a simulated day."""
    ordinal = day.toordinal()
    price = ((index + 1) * _PRIME + ordinal * 104_729) % _SPREAD / 100 - 100
    spy = ordinal * 97 % _SPY_SPREAD / 100 - 20
    return round(price - spy, 4), round(price, 4), round(spy, 4)


def v1(row: CongressRow, index: int, day: date) -> Fields:
    """Return the default row of the congress endpoints."""
    excess, price, spy = look_ahead(index, day)
    return row.fields | {"ExcessReturn": excess, "PriceChange": price, "SPYChange": spy}


def house(row: CongressRow, index: int, day: date) -> Fields:
    """Return the row of the House endpoints: ``Date`` in place of ``TransactionDate``."""
    return _renamed(v1(row, index, day), {"TransactionDate": "Date"})


def senate(row: CongressRow, index: int, day: date) -> Fields:
    """Return the row of the Senate endpoints: ``Senator`` and ``Date``."""
    return _renamed(v1(row, index, day), {"TransactionDate": "Date", "Representative": "Senator"})


def v2(row: CongressRow, index: int, day: date) -> Fields:
    """Return the row of ``version=V2``; senators are "Last, First", and the size is now and then a number."""
    fields = row.fields
    name = str(fields["Representative"])
    if fields["House"] == "Senate" and " " in name:
        first, last = name.rsplit(" ", 1)
        name = f"{last}, {first}"
    uploaded = str(fields.get("last_modified") or "")
    return {
        "Ticker": fields["Ticker"],
        "TickerType": fields.get("TickerType"),
        "Company": fields.get("Description"),
        "Traded": fields["TransactionDate"],
        "Transaction": fields["Transaction"],
        "Trade_Size_USD": fields.get("Amount") if index % 7 == 0 else fields.get("Range"),
        "Status": None,
        "Subholding": None,
        "Description": fields.get("Description"),
        "Name": name,
        "BioGuideID": fields.get("BioGuideID"),
        "Filed": fields["ReportDate"],
        "Party": fields.get("Party"),
        "District": fields.get("District"),
        "Chamber": fields["House"],
        "Comments": None,
        "Quiver_Upload_Time": uploaded if uploaded >= UPLOAD_STAMPS_FROM.isoformat() else None,
        "excess_return": str(look_ahead(index, day)[0]),
        "State": row.state,
        "last_modified": fields.get("last_modified"),
    }


def _renamed(fields: Fields, names: dict[str, str]) -> Fields:
    return {names.get(name, name): value for name, value in fields.items()}
