"""Reports as JSON: decimals as exact numbers without needless zeros, instants and days in ISO 8601."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from typing import Any
from uuid import UUID

# Texts of numbers that are remembered: prices and quantities recur.
_NUMBERS_KEPT = 4_096


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return ``value`` as JSON text.

    A Decimal becomes a number with exactly its digits (100.00 is 100, 0.10 is 0.1), never through a float; an instant
    is UTC with a Z; keys keep their order. Raises TypeError for what JSON has no form for, NaN among it.
    """
    if indent is None and c_make_encoder is not None and (quick := _quick(value)) is not None:
        return quick
    parts: list[str] = []
    _write(value, parts.append, indent, 0)
    return "".join(parts)


@lru_cache(_NUMBERS_KEPT)
def plain(value: Decimal) -> str:
    """Return the digits of a finite Decimal without exponent and without zeros that say nothing."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def instant(value: datetime) -> str:
    """Return an aware instant as ISO 8601 in UTC, ending in Z."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    # A third of the time that the standard form takes: it asks the time zone again and again.
    day = f"{value.year:04}-{value.month:02}-{value.day:02}"
    text = f"{day}T{value.hour:02}:{value.minute:02}:{value.second:02}"
    return f"{text}.{value.microsecond:06}Z" if value.microsecond else f"{text}Z"


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


# The character that marks texts which are to stand in JSON without their quotes. JSON does not escape it.
_MARK = "\x7f"


def _quick(value: Any) -> str | None:
    """Return JSON by the interpreter's own encoder, several times faster than code in Python; None when it can't.

    It asks back for what it does not know, and quotes the answer. Numbers are marked, so that their quotes can be
    taken away again; a text with the same mark would be told by the count.
    """
    marked = 0

    def known(strange: Any) -> str:
        nonlocal marked
        if type(strange) is Decimal and strange.is_finite():
            marked += 2
            return f"{_MARK}{plain(strange)}{_MARK}"
        if isinstance(strange, datetime):
            return instant(strange)
        if isinstance(strange, date | UUID):
            return str(strange)
        marked += 2
        return f"{_MARK}{_scalar(strange)}{_MARK}"

    # Without containers that hold themselves there is nothing to look out for.
    encoder = c_make_encoder(None, known, encode_basestring, None, ":", ",", False, False, False)
    try:
        text = "".join(encoder(value, 0))
    except TypeError:
        # A key that is no text: the slower way has a form for it, or an error that says more.
        return None
    if text.count(_MARK) != marked:
        return None
    return text.replace(f'"{_MARK}', "").replace(f'{_MARK}"', "") if marked else text


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
