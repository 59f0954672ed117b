"""Test only: end this process the hard way at a named step of a run (``TRADETRAIL_INGESTOR_DIE_AT``)."""

from __future__ import annotations

import os
import signal

STEPS = (
    "locked",
    "caught_up",
    "started",
    "called",
    "call_recorded",
    "fetched",
    "before_delivery",
    "delivered",
)


def reached(step: str, die_at: str) -> None:
    """Kill this process, as ``kill -9`` does, if ``step`` is where it is to die."""
    if step == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
