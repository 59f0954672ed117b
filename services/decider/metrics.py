"""What the decider counts for /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120)

STEP_SECONDS = Histogram(
    "tradetrail_decider_step_seconds",
    "Real time that a batch with answers took: fold, reference, evaluate (with reference), context, state.",
    ["step"],
    buckets=_BUCKETS,
)
ANSWERS = Counter(
    "tradetrail_decider_answers_total",
    "Answers by strategy; answer is made, or why it was declined. Some may be taken back by an abort.",
    ["strategy", "answer"],
)
CALLS = Counter(
    "tradetrail_decider_calls_total", "Calls to Alpaca by endpoint and status.", ["path", "status"]
)
