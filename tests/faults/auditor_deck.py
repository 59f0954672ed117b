"""The faults of the auditor's campaign, and how often each is dealt."""

from __future__ import annotations

from services.auditor.breakpoints import STEPS
from tests.faults.dealing import Fault

# Where the database has something of a batch, and not all of it.
IN_TRANSACTION = ("positions_locked", "events_copied", "table_merged", "before_commit")
# What the database may say for a while; each must look like trouble, never like an event that can't be kept.
SQLSTATES = ("53100", "53200", "53400", "57014", "40001", "40P01", "58030", "XX000")


def deck() -> list[Fault]:
    """Return every fault, the more interesting ones more than once."""
    return [
        *[Fault("kill", step) for step in STEPS],
        *[Fault("kill", step) for step in (*IN_TRANSACTION, "committed")],
        *[Fault("kill-in-copy")] * 3,
        *[Fault("kill-at-random")] * 3,
        *[Fault("kill-all-at-random")] * 2,
        *[Fault("freeze", step) for step in STEPS],
        *[Fault("freeze-into", step) for step in IN_TRANSACTION],
        *[Fault("freeze-shortly", step) for step in ("polled", "before_commit", "committed")],
        *[Fault("freeze-in-copy")] * 2,
        *[Fault("freeze-at-random")] * 2,
        *[Fault("sigterm", step) for step in ("polled", "events_copied", "committed")],
        *[Fault("join", step) for step in ("decoded", "before_commit")],
        *[Fault("leave", step) for step in ("decoded", "before_commit")],
        *[Fault("come-and-go")] * 2,
        *[Fault("database", how) for how in ("fast", "immediate", "killed", "frozen")],
        *[Fault("database-and-kill", how) for how in ("fast", "immediate", "frozen")],
        *[Fault("database", how) for how in ("read-only", "full-up")],
        *[Fault("sessions", how) for how in ("terminated", "cancelled")] * 2,
        *[Fault("network", how) for how in ("cut", "silent", "slow")],
        *[Fault("network-in-copy", how) for how in ("cut", "silent")] * 2,
        *[Fault("deadlock", where) for where in ("positions", "rows")],
        *[Fault("lock-held", where) for where in ("positions", "rows")],
        *[Fault("disk-full")] * 2,
        *[Fault("raised", state) for state in SQLSTATES],
        *[Fault("raised-at-commit", state) for state in ("53100", "40001")],
        *[Fault("positions-back")] * 2,
        *[Fault("far-back")] * 2,
        *[Fault("broker-kill", step) for step in ("decoded", "before_commit")],
        *[Fault("broker-restart", step) for step in ("letters_sent", "committed")],
    ]
