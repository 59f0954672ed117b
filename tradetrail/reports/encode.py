"""Reports as JSON: decimals as exact numbers without needless zeros, instants and days in ISO 8601."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from typing import Any
from uuid import UUID


class _Token(str):
    """Text that stands in JSON as it is."""

    __slots__ = ()


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return ``value`` as JSON text.

    A Decimal becomes a number with exactly its digits (100.00 is 100, 0.10 is 0.1), never through a float; an instant
    is UTC with a Z; keys keep their order. Raises TypeError for what JSON has no form for, NaN among it.
    """
    if indent is None and _QUICK is not None:
        try:
            return "".join(_QUICK(value, 0))
        except TypeError:
            # A key that is no text: below it has a form, or an error that says more.
            pass
    parts: list[str] = []
    _write(value, parts.append, indent, 0)
    return "".join(parts)


def plain(value: Decimal) -> str:
    """Return the digits of a finite Decimal without exponent and without zeros that say nothing."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def instant(value: datetime) -> str:
    """Return an aware instant as ISO 8601 in UTC, ending in Z."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _write(value: Any, put: Any, indent: int | None, depth: int) -> None:
    if isinstance(value, str):
        put(encode_basestring(value))
    elif isinstance(value, dict):
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


def _quoted(text: str) -> str:
    return str(text) if type(text) is _Token else encode_basestring(text)


def _token(value: Any) -> _Token:
    return _Token(_scalar(value))


# The interpreter's own encoder walks containers several times faster than code in Python can; it asks back for what it
# does not know and for every text. Without containers that hold themselves there is nothing to mark.
_QUICK: Any = c_make_encoder and c_make_encoder(
    None, _token, _quoted, None, ":", ",", False, False, False
)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} has no form in JSON")
        return plain(value)
    if isinstance(value, datetime):
        return f'"{instant(value)}"'
    if isinstance(value, date | UUID):
        return f'"{value}"'
    return json.dumps(value, allow_nan=False)
