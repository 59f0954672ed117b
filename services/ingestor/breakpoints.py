"""Test only: end or freeze this process at a named step of a run (``TRADETRAIL_INGESTOR_DIE_AT``).

``STEP`` is ``kill -9`` there, ``freeze STEP`` a stop (SIGSTOP) at its first passage, until somebody wakes the process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tradetrail.breakpoints import Breakpoints

STEPS = (
    "locked",
    # One of the source's two transactional ids is taken over, the other is not.
    "fencing",
    "fenced",
    "caught_up",
    # Only of a run that finds an abandoned one: before and after its end is committed.
    "closing",
    "closed",
    "starting",
    "started",
    "called",
    "call_recorded",
    "fetched",
    "before_delivery",
    # Within the last transaction: so much of it is at the broker, and it is not committed.
    "half_sent",
    "all_sent",
    "offsets_sent",
    "delivered",
)


@cache
def _breakpoints(die_at: str) -> Breakpoints:
    return Breakpoints(die_at, STEPS)


def reached(step: str, die_at: str) -> None:
    """End this process, as ``kill -9`` does, or freeze it, if ``step`` is where that is to happen."""
    _breakpoints(die_at).passing(step)


def passing(die_at: str) -> Callable[[str], None] | None:
    """Return what hears the steps of a transaction; None, so that none is told, without a test."""
    return _breakpoints(die_at).passing if die_at else None
