"""The faults of the decider's campaign, how often each is dealt, and what the vendor may do."""

from __future__ import annotations

from typing import Any

from services.decider.breakpoints import STEPS
from tests.faults.dealing import Fault

IN_TRANSACTION = ("half_sent", "all_sent", "offsets_sent")
IN_BATCH = ("view_taken", "signalled", "context_read", "before_commit")

# What the vendor may do to each request for a while; each must look like trouble, never like an answer.
VENDOR: dict[str, dict[str, Any]] = {
    "slow": {"kind": "latency", "latency_ms": 700},
    "503": {"kind": "status", "status": 503},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "html-200": {"kind": "status", "status": 200, "body": "html"},
    "html-404": {"kind": "status", "status": 404, "body": "html"},
    "html-502": {"kind": "status", "status": 502, "body": "html"},
    "empty-200": {"kind": "status", "status": 200, "body": "empty"},
    "cut": {"kind": "drop"},
    "cut-in-answer": {"kind": "truncate", "cut": True},
    "half-an-answer": {"kind": "truncate"},
}


def deck() -> list[Fault]:
    """Return every fault, the more interesting ones more than once."""
    return [
        *(Fault("kill", step) for step in (*STEPS, *IN_TRANSACTION, *IN_BATCH)),
        *[Fault("kill-at-random")] * 6,
        *[Fault("kill-all-at-random")] * 3,
        *(Fault("freeze", step) for step in STEPS),
        *(Fault("freeze-into", step) for step in (*STEPS, *IN_TRANSACTION)),
        *(Fault("freeze-shortly", step) for step in ("context_read", *IN_TRANSACTION)),
        *[Fault("freeze-at-random")] * 3,
        *(Fault("sigterm", step) for step in ("taken", "context_read", "half_sent", "committed")),
        *[Fault("sigterm-at-random")] * 2,
        *(Fault("join", step) for step in (*IN_BATCH, *IN_TRANSACTION)),
        *(Fault("leave", step) for step in (*IN_BATCH, *IN_TRANSACTION)),
        *[Fault("come-and-go")] * 4,
        *(Fault("broker-kill", step) for step in ("context_read", *IN_TRANSACTION)),
        *(Fault("broker-restart", step) for step in ("view_taken", "all_sent", "offsets_sent")),
        *[Fault("broker-kill-in-commit")] * 2,
        *(Fault("vendor", kind) for kind in (*VENDOR, "limit")),
        *(Fault("vendor-and-kill", kind) for kind in ("slow", "503", "cut")),
        Fault("registry", "at-start"),
        Fault("registry", "later"),
    ]
