"""The faults of the ingestor's campaign, and how often each is dealt."""

from __future__ import annotations

from services.ingestor.breakpoints import STEPS
from tests.faults.dealing import Fault

# These steps are passed only by a run that finds an abandoned one.
CLOSING = ("closing", "closed")
IN_DELIVERY = ("before_delivery", "half_sent", "all_sent", "offsets_sent")


def deck() -> list[Fault]:
    """Return every fault, the more interesting ones more than once."""
    woken = ("locked", "fencing", "fenced", "caught_up", "starting", *IN_DELIVERY)
    return [
        *(Fault("kill", step) for step in STEPS),
        *(Fault("kill", step) for step in IN_DELIVERY),
        *(Fault("freeze", step) for step in (*STEPS[:-1], "all_sent")),
        *(Fault("freeze-into", step) for step in woken),
        *(
            Fault("sigterm", step)
            for step in ("locked", "started", "called", "fetched", "half_sent")
        ),
        *(Fault("broker-kill", step) for step in IN_DELIVERY),
        *(Fault("broker-restart", step) for step in IN_DELIVERY[1:]),
        *[Fault("broker-kill-in-commit")] * 3,
        *[Fault("kill-in-request")] * 2,
        *[Fault("kill-at-random")] * 8,
        *[Fault("two-at-once")] * 3,
        *[Fault("already-running")] * 2,
        *(
            Fault("service", step)
            for step in ("caught_up", "call_recorded", "half_sent", "delivered")
        ),
        # Not within the last transaction: the broker ends that after a minute only, and maintenance waits for it.
        *(Fault("maintenance", step) for step in ("started", "fetched")),
    ]
