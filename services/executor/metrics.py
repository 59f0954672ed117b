"""What the executor counts for /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

OUTCOMES = Counter(
    "tradetrail_executor_post_outcomes_total", "What became of order POSTs.", ["outcome"]
)
POST_SECONDS = Histogram(
    "tradetrail_executor_post_seconds",
    "From sending an order to its answer, real time.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BLOCKED = Counter(
    "tradetrail_executor_blocked_total", "Decisions that a pre-trade control blocked.", ["control"]
)
IDLE_POLLS = Counter(
    "tradetrail_executor_idle_polls_total", "Polls of open orders that said nothing new."
)
SKIPPED_EVENTS = Counter(
    "tradetrail_executor_skipped_events_total", "Events that can't be read or contradict the log."
)
IS_ACTIVE = Gauge("tradetrail_executor_active", "1 while this process acts for its account.")
UNANSWERED = Gauge(
    "tradetrail_executor_unanswered_orders", "Orders without a definite state, or open."
)
PENDING = Gauge("tradetrail_executor_pending_decisions", "Decisions that wait for their turn.")
TROUBLED = Gauge(
    "tradetrail_executor_troubled_orders",
    "Open orders that the broker forgot, does not end, or describes with a word we don't know.",
)
CORRECTIONS = Counter(
    "tradetrail_executor_corrections_total",
    "Fills that the broker took back or corrected: each needs a person.",
)
STREAM_INTERRUPTIONS = Counter(
    "tradetrail_executor_stream_interruptions_total",
    "Trade-updates connections that ended or failed.",
)
STREAM_MUTE = Counter(
    "tradetrail_executor_stream_mute_total",
    "Times the trade-updates stream was connected and did not tell what a poll found.",
)
DISCOVERED = Counter(
    "tradetrail_executor_discovered_total",
    "Orders and fills that the broker had and the log lacked, by whose they are.",
    ["whose"],
)
BUSY_LANES = Gauge("tradetrail_executor_busy_lanes", "Requests to the broker that are under way.")
BROKER_AWAY = Gauge(
    "tradetrail_executor_broker_away", "1 while the broker gives no usable answer and orders wait."
)
RATE_LIMIT_REMAINING = Gauge(
    "tradetrail_executor_rate_limit_remaining", "Requests left to the account, by its last answer."
)
