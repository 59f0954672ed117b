"""Read disclosures and committee snapshots of a data folder.

Dirt in a disclosure is what the vendor serves and stays (impossible trade days, unknown tickers, cut ranges).
Refused is only what the vendor could not have served: no JSON, no such column, no day on which the row became public.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from simulators.world.files import broken, read_json, read_json_lines
from simulators.world.records import CommitteeSnapshot, CongressRow, InsiderRow
from tradetrail.sessions import new_york

_CONGRESS_COLUMNS = (
    "Representative",
    "ReportDate",
    "TransactionDate",
    "Ticker",
    "Transaction",
    "House",
)
_INSIDER_COLUMNS = ("Ticker", "Date", "Name", "TransactionCode", "fileDate")
_COMMITTEE_COLUMNS = ("id", "name", "chamber", "members")
_MEMBER_COLUMNS = ("bioguide", "name", "chamber", "state", "party")
_MIDNIGHT = time(0, 0)


def read_congress(path: Path) -> list[CongressRow]:
    """Read V1 congress rows, oldest report first. Raises UsageError naming file and line."""
    rows = []
    for number, row in read_json_lines(path):
        _require(path, number, row, _CONGRESS_COLUMNS)
        reported_on = parse_day(row["ReportDate"])
        if reported_on is None:
            raise broken(path, number, f"ReportDate is not a date: {row['ReportDate']!r}")
        _number(path, number, row, "Amount")
        fields = {key: value for key, value in row.items() if key[:1] != "_"}
        state = row.get("_state")
        known_at = day_after(reported_on)
        rows.append(CongressRow(fields, reported_on, known_at, state=state and str(state)))
    return sorted(rows, key=lambda row: row.reported_on)


def read_insiders(path: Path) -> list[InsiderRow]:
    """Read insiders rows in the order they became known. Raises UsageError naming file and line."""
    rows = []
    for number, row in read_json_lines(path):
        _require(path, number, row, _INSIDER_COLUMNS)
        filed_on = parse_day(row["fileDate"])
        if filed_on is None:
            raise broken(path, number, f"fileDate is not a date: {row['fileDate']!r}")
        for name in ("Shares", "PricePerShare", "SharesOwnedFollowing"):
            _number(path, number, row, name)
        fields = {key: value for key, value in row.items() if key[:1] != "_"}
        known_at = insider_known_at(filed_on, row.get("uploaded"), row["fileDate"])
        rows.append(InsiderRow(fields, filed_on, known_at))
    return sorted(rows, key=lambda row: row.known_at)


def read_committees(path: Path) -> CommitteeSnapshot:
    """Read one committee snapshot. Raises UsageError naming file and what is wrong."""
    document = read_json(path)
    _require(path, 1, document, ("as_of", "committees", "members"))
    as_of = parse_day(document["as_of"])
    if as_of is None:
        raise broken(path, 1, f"as_of is not a date: {document['as_of']!r}")
    for key, columns in (("committees", _COMMITTEE_COLUMNS), ("members", _MEMBER_COLUMNS)):
        if not isinstance(document[key], list):
            raise broken(path, 1, f"{key} is not a list")
        for entry in document[key]:
            if not isinstance(entry, dict):
                raise broken(path, 1, f"{key} holds something that is not an object: {entry!r}")
            _require(path, 1, entry, columns)
    congress = document.get("congress")
    if not isinstance(congress, int):
        congress = 1 + (as_of.year - 1789) // 2
    return CommitteeSnapshot(as_of, congress, document["committees"], document["members"])


def parse_day(text: object) -> date | None:
    """Return the day that ``text`` begins with (YYYY-MM-DD…), or None."""
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None


def day_after(day: date) -> datetime:
    """Return 00:00 in New York of the day after ``day``: when the vendor shows what was filed that day."""
    return new_york(day + timedelta(days=1), _MIDNIGHT)


def insider_known_at(filed_on: date, uploaded: object, filed: object) -> datetime:
    """Return when an insiders row is known: its stamp where that has a time of day, else the day after.

    The vendor's stamps carry no zone; they are read as UTC.
    """
    for stamp in (uploaded, filed):
        if not isinstance(stamp, str):
            continue
        try:
            instant = datetime.fromisoformat(stamp)
        except ValueError:
            continue
        if instant.time() != _MIDNIGHT:
            return (
                instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
            )
    return day_after(filed_on)


def _require(path: Path, number: int, row: dict[str, Any], columns: tuple[str, ...]) -> None:
    for name in columns:
        if name not in row:
            raise broken(path, number, f"the field {name!r} is missing")


def _number(path: Path, number: int, row: dict[str, Any], name: str) -> None:
    value = row.get(name)
    if value is None or value == "":
        return
    try:
        float(value)
    except (TypeError, ValueError) as error:
        raise broken(path, number, f"{name} is not a number: {value!r}") from error
