"""What a person told who acts for them: who acts, why, under which key; and how what can't be recorded is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tradetrail.errors import UsageError
from tradetrail.ids import new_id
from tradetrail.manual_orders import BadOrder

T = TypeVar("T")

Told = tuple[str, str, str | None]
"""Who acts, why, and under which key; None has one made."""


def made_by(told: Told, make: Callable[[str, str, str], T]) -> T:
    """Return what ``make`` makes of who acts, why, and the key: a new one where none is told.

    Raises UsageError for what ``make`` calls a BadOrder.
    """
    who, why, key = told
    with refused():
        return make(who.strip(), why.strip(), str(new_id()) if key is None else key)


@contextmanager
def refused() -> Iterator[None]:
    """Raise UsageError for what is called a BadOrder in the block."""
    try:
        yield
    except BadOrder as error:
        raise UsageError(str(error)) from error
