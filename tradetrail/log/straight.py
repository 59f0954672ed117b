"""Reads Avro as straight code: one function per schema, written out field by field and compiled once.

A general reader looks at the schema again for every value; events are read by the million and have few schemas. What
comes out is what the Avro library gives for the same schema, or an exception for what is no such record. A test
compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import Any

from tradetrail.events.schemas import parsed_schema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# Longer numbers than these don't fit 64 bits.
_LONG_BYTES_MAX = 10
_NUMBERS_KEPT = 4_096
_INDENT = "    "

Reader = Callable[[bytes, int], tuple[dict[str, Any], int]]
"""Takes bytes and where to begin; returns the record and where it ended. Raises on anything else."""


class Form(Enum):
    """What instants and days become; the values are code that makes one of a number, of instants first."""

    TYPED = ("epoch + since(0, 0, {})", f"date(({{}}) + {_EPOCH_ORDINAL})")
    """Python's types."""
    TEXTS = ("instant_text({})", "day_text({})")
    """ISO 8601 in UTC, ending in Z, for who only hands them on: as JSON and COPY take them."""


class NotStraight(Exception):
    """The schema has a type that this module does not read."""


@cache
def today_reader(type_name: str, form: Form = Form.TYPED) -> Reader:
    """Return the reader of an event type's schema as it is today."""
    return straight_reader(parsed_schema(type_name), form)


def straight_reader(parsed: Any, form: Form = Form.TYPED) -> Reader:
    """Return the reader of a schema that the Avro library has parsed. Raises NotStraight for types we don't use."""
    code = _Code(parsed, form)
    scope: dict[str, Any] = {
        "long": _long,
        "date": date.fromordinal,
        "epoch": _EPOCH,
        "since": timedelta,
        "number": _number,
        "instant_text": _instant_text,
        "day_text": _day_text,
        "Outside": ValueError,
        **code.constants,
    }
    # The text is made here out of a schema's structure; names of fields go in as quoted constants.
    exec(compile(code.text(), "<straight reader>", "exec"), scope)
    reader: Reader = scope[code.main]
    return reader


def _long(b: bytes, i: int) -> tuple[int, int]:
    """Return the number that begins at ``i``, still in zigzag form, and where it ends."""
    number = shift = 0
    for place in range(i, i + _LONG_BYTES_MAX):
        byte = b[place]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place + 1
        shift += 7
    raise ValueError("a number longer than 64 bits")


# Quantities, prices and limits recur, and making one takes several times as long as finding it.
@lru_cache(_NUMBERS_KEPT)
def _number(data: bytes, scale: int, context: Context) -> Decimal:
    unscaled = context.create_decimal(int.from_bytes(data, "big", signed=True))
    return unscaled.scaleb(-scale, context)


def _instant_text(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second_text(seconds)}.{rest:06}Z" if rest else f"{_second_text(seconds)}Z"


# Events come in bursts, and days recur.
@lru_cache(_NUMBERS_KEPT)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


@lru_cache(_NUMBERS_KEPT)
def _day_text(days: int) -> str:
    return date.fromordinal(days + _EPOCH_ORDINAL).isoformat()


def as_texts(value: Any) -> Any:
    """Return what was read with types, a whole record or any value inside one, as if it had been read as texts."""
    if isinstance(value, dict):
        return {key: as_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_texts(item) for item in value]
    if isinstance(value, datetime):
        return _instant_text((value - _EPOCH) // timedelta(microseconds=1))
    return value.isoformat() if isinstance(value, date) else value


class _Code:
    """The text of the functions of a schema: one per record type."""

    def __init__(self, parsed: Any, form: Form) -> None:
        self._instant, self._day = form.value
        self.constants: dict[str, Any] = {}
        self._named: dict[str, Any] = {}
        self._functions: dict[str, str] = {}
        self._texts: list[str] = []
        self._variables = 0
        self.main = self._record(parsed)

    def text(self) -> str:
        return "\n".join(self._texts)

    def _record(self, schema: Any) -> str:
        name = str(schema["name"])
        if name in self._functions:
            return self._functions[name]
        function = self._functions[name] = f"record_{len(self._functions)}"
        self._named[name] = schema
        lines = [f"def {function}(b, i):"]
        variables = {str(field["name"]): self._variable("v") for field in schema["fields"]}
        for field in schema["fields"]:
            lines += self._value(field["type"], variables[field["name"]], _INDENT)
        whole = ", ".join(f"{name!r}: {variable}" for name, variable in variables.items())
        self._texts.append("\n".join([*lines, f"{_INDENT}return {{{whole}}}, i"]))
        return function

    def _value(self, schema: Any, target: str, pad: str) -> list[str]:
        """Return the lines that read one value at ``i`` into ``target``."""
        if isinstance(schema, list):
            return self._union(schema, target, pad)
        kind, logical = schema, None
        if isinstance(schema, dict):
            kind, logical = schema["type"], schema.get("logicalType")
            if kind in ("record", "enum"):
                self._named[str(schema["name"])] = schema
        if kind in self._named:
            schema, kind, logical = self._named[kind], self._named[kind]["type"], None
        makers: dict[str, Callable[[Any, str, str], list[str]]] = {
            "record": self._nested,
            "enum": self._enum,
            "array": self._array,
            "map": self._map,
        }
        if kind in makers:
            return makers[kind](schema, target, pad)
        return self._plain(schema, (kind, logical), target, pad)

    def _plain(self, schema: Any, kind: tuple[str, Any], target: str, pad: str) -> list[str]:
        if kind == ("null", None):
            return [f"{pad}{target} = None"]
        if kind == ("boolean", None):
            return [f"{pad}{target} = b[i] != 0; i += 1"]
        signed = "(n >> 1) ^ -(n & 1)"
        value = {
            ("string", None): "b[i:j].decode()",
            ("bytes", None): "b[i:j]",
            ("int", None): signed,
            ("long", None): signed,
            ("long", "timestamp-micros"): self._instant.format(signed),
            ("int", "date"): self._day.format(signed),
        }.get(kind)
        if kind == ("bytes", "decimal"):
            context = self._constant("context", Context(prec=schema["precision"]))
            value = f"number(b[i:j], {schema.get('scale', 0)}, {context})"
        if value is None:
            raise NotStraight(f"{kind}")
        if kind[0] in ("string", "bytes"):
            sized = [f"{pad}if n & 1: raise Outside(n)", f"{pad}j = i + (n >> 1)"]
            return [*self._n(pad), *sized, f"{pad}{target} = {value}; i = j"]
        return [*self._n(pad), f"{pad}{target} = {value}"]

    def _n(self, pad: str) -> list[str]:
        # Most numbers are lengths of one byte.
        return [f"{pad}n = b[i]; i += 1", f"{pad}if n > 127: n, i = long(b, i - 1)"]

    def _union(self, branches: list[Any], target: str, pad: str) -> list[str]:
        lines = self._n(pad)
        for number, branch in enumerate(branches):
            lines.append(f"{pad}{'elif' if number else 'if'} n == {2 * number}:")
            lines += self._value(branch, target, pad + _INDENT)
        return [*lines, f"{pad}else: raise Outside(n)"]

    def _nested(self, schema: Any, target: str, pad: str) -> list[str]:
        return [f"{pad}{target}, i = {self._record(schema)}(b, i)"]

    def _enum(self, schema: Any, target: str, pad: str) -> list[str]:
        symbols = self._constant("symbols", tuple(schema["symbols"]))
        return [
            *self._n(pad),
            f"{pad}if n & 1: raise Outside(n)",
            f"{pad}{target} = {symbols}[n >> 1]",
        ]

    def _array(self, schema: Any, target: str, pad: str) -> list[str]:
        found, item = self._variable("a"), self._variable("x")
        each = [
            *self._value(schema["items"], item, pad + 2 * _INDENT),
            f"{pad}{2 * _INDENT}{found}.append({item})",
        ]
        return [f"{pad}{found} = []", *self._blocks(each, pad), f"{pad}{target} = {found}"]

    def _map(self, schema: Any, target: str, pad: str) -> list[str]:
        found, key, item = self._variable("a"), self._variable("k"), self._variable("x")
        inner = pad + 2 * _INDENT
        each = [
            *self._value("string", key, inner),
            *self._value(schema["values"], item, inner),
            f"{inner}{found}[{key}] = {item}",
        ]
        return [f"{pad}{found} = {{}}", *self._blocks(each, pad), f"{pad}{target} = {found}"]

    def _blocks(self, each: list[str], pad: str) -> list[str]:
        """Return the lines that read blocks of items until the empty one; a negative count is followed by bytes."""
        left, inner = self._variable("c"), pad + _INDENT
        return [
            f"{pad}while True:",
            *self._n(inner),
            f"{inner}if n == 0: break",
            f"{inner}{left} = (n + 1) >> 1",
            f"{inner}if n & 1: n, i = long(b, i)",
            f"{inner}for _ in range({left}):",
            *each,
        ]

    def _variable(self, kind: str) -> str:
        self._variables += 1
        return f"{kind}{self._variables}"

    def _constant(self, kind: str, value: Any) -> str:
        name = f"{kind}_{len(self.constants)}"
        self.constants[name] = value
        return name
