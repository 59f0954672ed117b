"""What the read-process-write loop measures for /metrics, the same for every service that runs it."""

from __future__ import annotations

from prometheus_client import Histogram

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120)

STEP_SECONDS = Histogram(
    "tradetrail_loop_step_seconds",
    "Real time of a batch with outputs: delivery (from its first event's append by the broker to its poll), process, "
    "commit.",
    ["step"],
    buckets=_BUCKETS,
)
