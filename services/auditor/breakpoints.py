"""Test only: end or freeze this process at a named step of a batch (``TRADETRAIL_AUDITOR_DIE_AT``)."""

from __future__ import annotations

from tradetrail.breakpoints import Breakpoints

STEPS = (
    "polled",
    "decoded",
    # Dead letters of the batch are confirmed, or there are none.
    "letters_sent",
    # Within the transaction: positions locked and moved, events copied, each typed table merged, all of it.
    "positions_locked",
    "events_copied",
    "table_merged",
    "before_commit",
    # The database holds the batch, and this process has not noted it.
    "committed",
    "advanced",
)

_here = Breakpoints("", STEPS)


def arm(spec: str) -> None:
    """Let this process die at ``spec``, ``[freeze ]STEP[:N]``. Raises ValueError for a step that does not exist."""
    global _here
    _here = Breakpoints(spec, STEPS)


def reached(step: str) -> None:
    """Pass a step, or end there."""
    _here.passing(step)
