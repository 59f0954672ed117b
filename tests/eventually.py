"""Wait for something to become true, without sleeping longer than needed and without hiding what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Enough for several restarts on two very busy cores: only a broken test waits so long.
DEADLINE_S = 180.0


def eventually(
    read: Callable[[], T],
    accept: Callable[[T], object] = bool,
    *,
    within_s: float = DEADLINE_S,
    every_s: float = 0.05,
) -> T:
    """Return the first value of ``read()`` that ``accept`` takes.

    Raises AssertionError with the last value, or the last error of ``read``, when ``within_s`` is over.
    """
    deadline = time.monotonic() + within_s
    seen = "nothing"
    while True:
        try:
            value = read()
        except Exception as error:  # noqa: BLE001 (whatever it raises may pass)
            seen = f"the error {error!r}"
        else:
            if accept(value):
                return value
            seen = repr(value)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s; last seen: {seen}")
        time.sleep(every_s)
