"""Hypothesis strategies that build any event of the catalogue from its type hints."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from tradetrail.events import CATALOGUE, Event, generated

_INSTANTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the zone is added below
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_DECIMALS = st.decimals(
    min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=9, allow_nan=False
)
_TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXT,
    int: st.integers(min_value=0, max_value=2**31 - 1),
    bool: st.booleans(),
    bytes: st.binary(max_size=12),
    Decimal: _DECIMALS,
    datetime: _INSTANTS,
    date: st.dates(min_value=date(1, 1, 1)),
}


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a field's annotation."""
    origin = get_origin(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return records_of(annotation)
    if origin in (types.UnionType, typing.Union):
        arms = [a for a in get_args(annotation) if a is not type(None)]
        return st.none() | st.one_of([values_of(arm) for arm in arms])
    if origin is tuple:
        return st.lists(values_of(get_args(annotation)[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(_TEXT, values_of(get_args(annotation)[1]), max_size=2)
    raise TypeError(f"no values for {annotation}")


def records_of(cls: type) -> st.SearchStrategy[Any]:
    """Return a strategy for instances of a generated class."""
    hints = typing.get_type_hints(cls, vars(generated))
    fields = {f.name: values_of(hints[f.name]) for f in dataclasses.fields(cls)}
    return st.builds(cls, **fields)


def any_event() -> st.SearchStrategy[Event]:
    """Return a strategy for events of every type."""
    return st.one_of([records_of(cls) for cls in CATALOGUE.values()])
