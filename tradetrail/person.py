"""What a person told a command that acts: who acts, why, under which key; and how what can't be recorded is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tradetrail.errors import UsageError
from tradetrail.ids import new_id
from tradetrail.manual_orders import BadOrder

T = TypeVar("T")


def made_by(told: tuple[str, str, str | None], make: Callable[[str, str, str], T]) -> T:
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
