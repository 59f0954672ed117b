"""Sample events with some facts of a test's own, to make logs of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tests.contract.samples import sample_of
from tradetrail.events import from_datum

_SCHEMAS = Path(__file__).parents[2] / "schemas"
_E = TypeVar("_E")


def sample_event(kind: type[_E], **facts: Any) -> _E:
    """Return a sample event of a type, altered."""
    type_name = kind.TYPE  # type: ignore[attr-defined]
    event: Any = from_datum(type_name, sample_of(_SCHEMAS / f"{type_name.rpartition('.')[2]}.avsc"))
    altered: _E = replace(event, **facts)
    return altered
