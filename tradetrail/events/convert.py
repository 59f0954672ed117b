"""Between typed events and the plain dictionaries that the Avro library reads and writes.

Decimals are brought to the wire's scale (9 digits after the point, half even); a value that does not fit the wire's
precision raises there, at the producer, not at a reader.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin

from tradetrail.events import generated
from tradetrail.events.generated import CATALOGUE, Event

# Scale of every decimal on the wire: Alpaca's fractional shares have nine digits, prices at most four.
DECIMAL_SCALE = 9
_QUANTUM = Decimal(1).scaleb(-DECIMAL_SCALE)
_CONTEXT = Context(prec=38, rounding=ROUND_HALF_EVEN)


def to_datum(value: Any) -> Any:
    """Return the plain form of an event, or of any value inside one."""
    if dataclasses.is_dataclass(value):
        return {f.name: to_datum(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Decimal):
        return value.quantize(_QUANTUM, context=_CONTEXT)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [to_datum(item) for item in value]
    if isinstance(value, dict):
        return {key: to_datum(item) for key, item in value.items()}
    return value


def from_datum(type_name: str, datum: dict[str, Any]) -> Event:
    """Return the typed event of the full name ``type_name``; KeyError when it is not in the catalogue."""
    cls: Any = CATALOGUE[type_name]
    return typing.cast(Event, _reader(cls)(datum))


@cache
def _reader(annotation: Any) -> Callable[[Any], Any]:
    origin = get_origin(annotation)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _record_reader(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation
    if origin in (types.UnionType, typing.Union):
        inner = next(_reader(arm) for arm in get_args(annotation) if arm is not type(None))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(get_args(annotation)[0])
        return lambda value: tuple(item(each) for each in value)
    return lambda value: value


def _record_reader(cls: type) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(cls, vars(generated))
    readers = [(f.name, _reader(hints[f.name])) for f in dataclasses.fields(cls)]
    return lambda datum: cls(**{name: read(datum[name]) for name, read in readers})
