"""Reports as JSON: decimals as exact numbers without needless zeros, instants and days in ISO 8601."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

import orjson

from tradetrail.reports.stored_json import StoredObject


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return ``value`` as JSON text.

    A Decimal becomes a number with exactly its digits (100.00 is 100, 0.10 is 0.1), never through a float; an instant
    is UTC with a Z; keys keep their order. Raises TypeError for what JSON has no form for, NaN among it.
    """
    quickly = _quickly(value) if indent is None else None
    return _slowly(value, indent) if quickly is None else quickly.decode()


def json_bytes(value: Any) -> bytes:
    """Return ``value`` as ``to_json`` does, in UTF-8 and without a copy of what may be megabytes."""
    quickly = _quickly(value)
    return _slowly(value, None).encode() if quickly is None else quickly


def written(value: Any) -> orjson.Fragment:
    """Return ``value`` as JSON that is put into other JSON as it is, by ``json_bytes`` and by nothing else."""
    return orjson.Fragment(json_bytes(value))


def _quickly(value: Any) -> bytes | None:
    """Return what orjson makes of ``value``, None of what it has no form for."""
    # One that stands alone, not in a report: orjson makes null of a number that JSON lacks.
    if isinstance(value, float):
        return None
    try:
        return orjson.dumps(value, _known, _OPTIONS)
    except orjson.JSONEncodeError:
        # Whole numbers past 64 bits, keys that are no text; or an error that the other way says more of.
        return None


def _slowly(value: Any, indent: int | None) -> str:
    parts: list[str] = []
    _write(value, parts.append, indent, 0)
    return "".join(parts)


def plain(value: Decimal) -> str:
    """Return the digits of a finite Decimal without exponent and without zeros that say nothing."""
    text = str(value)
    if "E" in text:
        # Few have one, and writing all without takes three times as long.
        text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def instant(value: datetime) -> str:
    """Return an aware instant as ISO 8601 in UTC, ending in Z."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    # As isoformat has it, four times as fast.
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()[1:-1]


def _write(value: Any, put: Any, indent: int | None, depth: int) -> None:
    if isinstance(value, str):
        put(encode_basestring(value))
    elif isinstance(value, Mapping):
        colon = ":" if indent is None else ": "
        items = [(encode_basestring(str(key)) + colon, item) for key, item in value.items()]
        _container("{}", items, put, indent, depth)
    elif isinstance(value, list | tuple):
        _container("[]", [("", item) for item in value], put, indent, depth)
    else:
        put(_scalar(value))


def _container(
    brackets: str, items: list[tuple[str, Any]], put: Any, indent: int | None, depth: int
) -> None:
    if not items:
        put(brackets)
        return
    inner = "" if indent is None else "\n" + " " * (indent * (depth + 1))
    before = brackets[0] + inner
    for label, item in items:
        put(before + label)
        _write(item, put, indent, depth + 1)
        before = "," + inner
    put(("" if indent is None else "\n" + " " * (indent * depth)) + brackets[1])


# Instants come as they are: another zone's become UTC here.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


def _known(value: Any) -> Any:
    """Return what orjson takes for a value that it has no form for. Raises TypeError."""
    # Asked of a Mapping, isinstance takes longer than all the rest.
    if type(value) is StoredObject:
        return orjson.Fragment(value.text)
    # Most instants are in UTC already, and a report has many.
    if type(value) is datetime and value.tzinfo is UTC:
        return orjson.Fragment(orjson.dumps(value, option=orjson.OPT_UTC_Z))
    return orjson.Fragment(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} has no form in JSON")
        return plain(value)
    if isinstance(value, datetime):
        return f'"{instant(value)}"'
    if isinstance(value, date | UUID):
        return f'"{value}"'
    return json.dumps(value, allow_nan=False)
