"""How fast orders reach the broker, and how fast an executor is back (``make bench-execute``).

    python -m benchmarks.bench_execute [--only latency,throughput,open] [--triggers N] [--backlog N]

The last line of stdout is one JSON object (its keys: docs/executor.md); progress goes to stderr. Kafka and the registry
are started for it, or those of ``TRADETRAIL_KAFKA`` and ``TRADETRAIL_REGISTRY_URL`` are used; decider and executor are
processes as in production, Alpaca is simulated over HTTP and a websocket, without a rate limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.execute_backlog import throughput
from benchmarks.execute_latency import latency
from benchmarks.execute_open import OPEN, open_orders
from benchmarks.parts import Measure, chosen_of, measure_on_a_stack, say

TRIGGERS, BACKLOG = 300, 2_000
# What the broker takes for each request, milliseconds.
LATENCIES_MS = (0, 50)


def at_each_latency(measure: Callable[..., dict[str, Any]], count: int) -> Measure:
    """Return what measures ``count`` orders at every latency, one after the other."""

    def measured(kafka: str, registry_url: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for latency_ms in LATENCIES_MS:
            at_this = measure(kafka, registry_url, count, say, latency_ms)
            say(json.dumps(at_this))
            found |= at_this
        return found

    return measured


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a stack of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_execute", description=__doc__)
    add = parser.add_argument
    add("--triggers", type=int, default=TRIGGERS, metavar="N", help="single triggers to time")
    add("--backlog", type=int, default=BACKLOG, metavar="N", help="decisions of the backlog")
    add("--open", type=int, default=OPEN, metavar="N", help="open orders of restart and takeover")
    add("--only", default="", metavar="PARTS", help="of latency,throughput,open")
    options = parser.parse_args(arguments)
    parts: dict[str, Callable[[], Measure]] = {
        "latency": lambda: at_each_latency(latency, options.triggers),
        "throughput": lambda: at_each_latency(throughput, options.backlog),
        "open": lambda: partial(open_orders, say=say, count=options.open),
    }
    return measure_on_a_stack(chosen_of(parser, options.only, parts), parts)


if __name__ == "__main__":
    sys.exit(main())
