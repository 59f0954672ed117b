"""Rows of the typed tables as lines of COPY's text format.

Made here instead of by the database driver: it looks up each value's converter and copies each value several times,
which cost four times as much of the processor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from services.auditor.entry import NotStorable
from services.auditor.rows import Row

_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_REMEMBERED = 4_096
# An array's element that needs no quotes. NULL is quoted, since it would say something else.
_PLAIN = re.compile(r"(?!null$)[A-Za-z_][A-Za-z_0-9]*", re.IGNORECASE)


def lines(rows: Iterable[Row]) -> bytes:
    """Return a table's ``rows`` as COPY takes them.

    Raises NotStorable for a text with a NUL, which Postgres can't keep.
    """
    made = [_line(row) for row in rows]
    made.append("")
    text = "\n".join(made)
    if "\0" in text:
        raise NotStorable("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return text.encode()


def _line(row: Row) -> str:
    line = "\t".join(
        [v if type(v) is str else _NULL if v is None else _TEXTS[type(v)](v) for v in row]
    )
    # Most rows need no escapes: told at once for the whole line. Each NULL has the one backslash of its own.
    if (
        line.count("\t") != len(row) - 1
        or line.count("\\") != row.count(None)
        or "\n" in line
        or "\r" in line
    ):
        return _escaped(row)
    return line


def _escaped(row: Row) -> str:
    return "\t".join(
        _NULL
        if value is None
        else (value if type(value) is str else _TEXTS[type(value)](value)).translate(_ESCAPES)
        for value in row
    )


def _array(items: Sequence[str]) -> str:
    return f"{{{','.join(map(_element, items))}}}"


# Flags and names of fields.
@lru_cache(_REMEMBERED)
def _element(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _instant(at: datetime) -> str:
    # Half of the time that the standard form takes: it asks the time zone twice.
    if at.tzinfo is not UTC:
        return str(at)
    day = f"{at.year:04}-{at.month}-{at.day}"
    return f"{day} {at.hour}:{at.minute}:{at.second}.{at.microsecond:06}+0"


class _Texts(dict[type, Callable[[Any], str]]):
    """How values of a type are written; of a type that is derived from one of these, as that one."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        for base in kind.__mro__[1:]:
            if base in self:
                self[kind] = self[base]
                return self[kind]
        raise TypeError(f"{kind.__name__} has no form in a table")


_TEXTS = _Texts(
    {
        str: str,
        int: str,
        bool: {True: "t", False: "f"}.__getitem__,
        Decimal: str,
        datetime: _instant,
        date: str,
        bytes: lambda value: f"\\x{value.hex()}",
        list: _array,
        tuple: _array,
    }
)
