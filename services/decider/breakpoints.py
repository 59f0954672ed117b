"""Test only: end or freeze this process at a named step of a batch (``TRADETRAIL_DECIDER_DIE_AT``)."""

from __future__ import annotations

from collections.abc import Callable

from tradetrail.breakpoints import Breakpoints

STEPS = (
    # Partitions are assigned, their views built, and nothing of them is processed.
    "taken",
    "view_taken",
    "signalled",
    "context_read",
    # The batch is answered, and nothing of it is sent.
    "before_commit",
    # Within the transaction: so much of it is at the broker, and it is not committed.
    "half_sent",
    "all_sent",
    "offsets_sent",
    "committed",
)

_here = Breakpoints("", STEPS)


def arm(spec: str) -> Callable[[str], None] | None:
    """Let this process die at ``spec``; return what hears the loop's steps, None for an empty ``spec``."""
    global _here
    _here = Breakpoints(spec, STEPS)
    return _here.passing if spec else None


def reached(step: str) -> None:
    """Pass a step, or end there."""
    _here.passing(step)
