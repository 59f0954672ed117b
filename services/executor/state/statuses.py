"""The life of an execution and of a decision, and what the broker's words mean. Pure tables.

``docs/executor.md`` shows these tables; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable

from tradetrail.events.generated import DecisionStatus, FailureReason, OrderStatus

S = OrderStatus

_ANSWERS = frozenset(
    {
        S.SUBMITTED,
        S.ACCEPTED,
        S.PARTIALLY_FILLED,
        S.FILLED,
        S.REJECTED,
        S.CANCELLED,
        S.EXPIRED,
        S.REPLACED,
    }
)
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    # To itself: provably not sent, or about to be sent again.
    S.SUBMITTING: _ANSWERS | {S.SUBMITTING, S.UNKNOWN, S.ERROR},
    S.UNKNOWN: _ANSWERS | {S.SUBMITTING, S.ERROR},
    S.SUBMITTED: _ANSWERS,
    S.ACCEPTED: _ANSWERS - {S.SUBMITTED},
    S.PARTIALLY_FILLED: _ANSWERS - {S.SUBMITTED, S.ACCEPTED},
    S.FILLED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
    S.REPLACED: frozenset(),
    S.ERROR: frozenset(),
}
"""Which status of an execution may follow which; a status followed by none is terminal."""

TERMINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)
UNSETTLED = frozenset({S.SUBMITTING, S.UNKNOWN})
"""The outcome of the POST isn't known: the symbol is held."""

D = DecisionStatus

DECISION_TRANSITIONS: dict[DecisionStatus, frozenset[DecisionStatus]] = {
    # Without any order: a pre-trade control refused it, or a person cancelled it while it waited.
    D.PENDING: frozenset({D.EXECUTING, D.FAILED, D.CANCELLED}),
    # To itself: whatever leaves an execution of it open, or a retry due.
    D.EXECUTING: frozenset({D.EXECUTING, D.EXECUTED, D.FAILED, D.CANCELLED}),
    D.EXECUTED: frozenset(),
    D.FAILED: frozenset(),
    D.CANCELLED: frozenset(),
}
"""Which status of a decision may follow which; a status followed by none is terminal."""

DECISION_TERMINAL = frozenset(
    status for status, following in DECISION_TRANSITIONS.items() if not following
)

RETRIED = frozenset(
    {
        FailureReason.RATE_LIMIT_EXCEEDED,
        FailureReason.BROKER_UNAVAILABLE,
        FailureReason.NOT_SENT,
    }
)
"""After these a decision may be tried again, where that is switched on; after anything else it stays failed."""

_TERMINAL_WORDS = {
    "filled": S.FILLED,
    "canceled": S.CANCELLED,
    "expired": S.EXPIRED,
    "rejected": S.REJECTED,
    "replaced": S.REPLACED,
}
_NOT_YET_ROUTED = frozenset({"pending_new", "pending_review"})

FAILURE_OF: dict[OrderStatus, FailureReason] = {
    S.REJECTED: FailureReason.BROKER_REJECTED,
    S.CANCELLED: FailureReason.BROKER_CANCELLED,
    S.REPLACED: FailureReason.BROKER_CANCELLED,
    S.EXPIRED: FailureReason.EXPIRED,
}
"""The reason when the broker ends an accepted order."""

# Refusals share codes across causes, so the text decides. Source: users' logs; the first that fits wins.
_REFUSAL_TEXTS: tuple[tuple[str, FailureReason], ...] = (
    ("insufficient buying power", FailureReason.INSUFFICIENT_BUYING_POWER),
    ("insufficient qty", FailureReason.INSUFFICIENT_QUANTITY),
    ("wash trade", FailureReason.WASH_TRADE),
    ("is not tradable", FailureReason.SYMBOL_NOT_TRADABLE),
    ("is not active", FailureReason.SYMBOL_NOT_TRADABLE),
    ("asset not found", FailureReason.SYMBOL_NOT_TRADABLE),
    ("could not find asset", FailureReason.SYMBOL_NOT_TRADABLE),
    ("rejected by user request", FailureReason.ACCOUNT_RESTRICTED),
    ("account not allowed", FailureReason.ACCOUNT_RESTRICTED),
    ("not allowed for account", FailureReason.ACCOUNT_RESTRICTED),
    ("cannot be sold short", FailureReason.ACCOUNT_RESTRICTED),
    ("cost basis must be", FailureReason.INVALID_ORDER),
    ("unauthorized", FailureReason.UNAUTHORIZED),
    ("forbidden.", FailureReason.UNAUTHORIZED),
    ("rate limit", FailureReason.RATE_LIMIT_EXCEEDED),
    ("too many requests", FailureReason.RATE_LIMIT_EXCEEDED),
)
_REFUSAL_STATUSES = {
    400: FailureReason.INVALID_ORDER,
    401: FailureReason.UNAUTHORIZED,
    422: FailureReason.INVALID_ORDER,
    429: FailureReason.RATE_LIMIT_EXCEEDED,
}


def decision_status(
    attempts: Iterable[tuple[OrderStatus, FailureReason | None]],
) -> DecisionStatus:
    """Return what all executions of a decision, each with why it failed, make of the decision; a due retry apart.

    It is over when none of them is open: executed if one filled wholly, else cancelled if a person cancelled one, else
    failed.
    """
    ends = list(attempts)
    if not ends:
        return D.PENDING
    if any(status not in TERMINAL for status, _ in ends):
        return D.EXECUTING
    if any(status is S.FILLED for status, _ in ends):
        return D.EXECUTED
    if any(failure is FailureReason.OPERATOR_CANCELLED for _, failure in ends):
        return D.CANCELLED
    return D.FAILED


def execution_status(broker_status: str, *, is_partly_filled: bool) -> OrderStatus:
    """Return our status for the broker's word; a word we don't know is an order that is still open."""
    if broker_status in _TERMINAL_WORDS:
        return _TERMINAL_WORDS[broker_status]
    if is_partly_filled:
        return S.PARTIALLY_FILLED
    return S.SUBMITTED if broker_status in _NOT_YET_ROUTED else S.ACCEPTED


def refusal_reason(status_code: int, message: str) -> FailureReason:
    """Return the code of a refusal by its text, else by its HTTP status."""
    text = message.lower()
    for part, reason in _REFUSAL_TEXTS:
        if part in text:
            return reason
    return _REFUSAL_STATUSES.get(status_code, FailureReason.BROKER_REJECTED)


def is_duplicate_id(message: str) -> bool:
    """Tell whether the broker refused an order because it already has one of that client_order_id."""
    text = message.lower().replace(" ", "_")
    return "client_order_id" in text and "unique" in text
