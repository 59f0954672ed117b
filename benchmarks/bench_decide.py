"""How fast the decider decides, starts and replays (``make bench-decide``).

    python -m benchmarks.bench_decide [--only latency,throughput,rebuild,replay] [--triggers N] [--backlog N]

The last line of stdout is one JSON object (its keys: docs/decider.md); progress goes to stderr. Kafka and the registry
are started for it, or those of ``TRADETRAIL_KAFKA`` and ``TRADETRAIL_REGISTRY_URL`` are used; the decider is a process
as in production, Alpaca is simulated over HTTP and answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

from benchmarks.decide_latency import latency, throughput
from benchmarks.parts import Measure, chosen_of, measure_on_a_stack, say
from tradetrail.errors import Fatal

TRIGGERS, BACKLOG = 300, 3_000


def measured(module: str, function: str) -> Measure:
    """Return what measures a part that stands in a module of its own. Raises Fatal when it is missing."""
    try:
        found: Measure = getattr(import_module(f"benchmarks.{module}"), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise Fatal(f"{function} can't be measured: {error}; leave it out with --only") from error
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a stack of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_decide", description=__doc__)
    add = parser.add_argument
    add("--triggers", type=int, default=TRIGGERS, metavar="N", help="single triggers to time")
    add("--backlog", type=int, default=BACKLOG, metavar="N", help="triggers of the backlog")
    add("--only", default="", metavar="PARTS", help="of latency,throughput,rebuild,replay")
    options = parser.parse_args(arguments)
    parts: dict[str, Callable[[], Measure]] = {
        "latency": lambda: partial(latency, count=options.triggers, say=say),
        "throughput": lambda: partial(throughput, count=options.backlog, say=say),
        "rebuild": lambda: measured("decide_rebuild", "measure"),
        "replay": lambda: measured("decide_replay", "replay"),
    }
    return measure_on_a_stack(chosen_of(parser, options.only, parts), parts)


if __name__ == "__main__":
    sys.exit(main())
