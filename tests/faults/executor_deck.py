"""The faults of the executor's campaign, and how often each is dealt."""

from __future__ import annotations

from services.executor.crash import STEPS
from tests.faults.dealing import Fault
from tests.faults.executor_desk import TROUBLE

# What is worst together with a death: nobody knows what became of the order.
_WITH_A_KILL = (
    *("504-after", "lost-answer", "lost-request", "cut-answer", "late", "very-late", "hidden"),
    *("429-any", "503-any", "partial", "partial-held", "partial-and-lost", "rejected-later"),
    *("stream-mute", "stream-refused", "slow-any", "too-slow"),
)
# What is worst together with a person's act.
_WITH_ACTS = ("cut-any-answer", "503-any", "slow-any", "partial-held", "pending-cancel", "late")


def deck() -> list[Fault]:
    """Return every fault, the more interesting ones more than once."""
    return [
        *[Fault("kill", step) for step in STEPS] * 3,
        *[Fault("kill-at-random")] * 10,
        *[Fault("kill-all-at-random")] * 4,
        *[Fault("freeze", step) for step in STEPS] * 2,
        *[Fault("freeze-into", step) for step in STEPS],
        *[Fault("freeze-shortly", step) for step in STEPS],
        *[Fault("freeze-at-random")] * 4,
        *[Fault("sigterm", step) for step in STEPS],
        *[Fault("sigterm-at-random")] * 3,
        *[Fault("come-and-go")] * 4,
        *[Fault("trouble", kind) for kind in TROUBLE],
        *[Fault("trouble-and-kill", kind) for kind in _WITH_A_KILL] * 2,
        *[Fault("trouble-and-freeze", kind) for kind in ("lost-answer", "late", "partial")],
        *[Fault("away", how) for how in ("refused", "cut")] * 2,
        *[Fault("away-and-kill", how) for how in ("refused", "cut")],
        *[Fault("acts")] * 4,
        *[Fault("acts-and-kill")] * 4,
        *[Fault("acts-in-trouble", kind) for kind in _WITH_ACTS] * 2,
        *[Fault("halt")] * 3,
        *[Fault("halt-and-kill")] * 3,
        *[Fault("halt-unknown")] * 2,
        *(Fault("broker-kill", step) for step in ("after_intent", "after_post")),
        Fault("broker-restart", "after_post"),
    ]
