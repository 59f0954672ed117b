"""What is odd about an order that is open at the broker, in words for /health and the log. Pure."""

from __future__ import annotations

from services.executor.statuses import execution_status

# Words of an order's life at the broker. Source: Alpaca's reference of orders and of its stream.
KNOWN_WORDS = frozenset(
    {
        *("new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced"),
        *("pending_cancel", "pending_replace", "pending_review", "accepted", "pending_new"),
        *("accepted_for_bidding", "stopped", "rejected", "suspended", "calculated", "held"),
    }
)
FORGOTTEN = "the broker does not know it (404), though it accepted it: ask the broker, then tradetrail order resolve"


def trouble_of(broker_status: str) -> str | None:
    """Return what is odd about an order in this state; None when nothing is."""
    if broker_status == "pending_cancel":
        return "its cancellation is asked for and not confirmed (pending_cancel): it may still fill"
    if broker_status == "suspended":
        return "the broker suspended it"
    if broker_status not in KNOWN_WORDS:
        meant = execution_status(broker_status, is_partly_filled=False)
        return f"the broker's word {broker_status!r} is unknown to us: it counts as {meant}, open"
    return None
