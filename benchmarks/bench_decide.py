"""How fast the decider decides, starts and replays (``make bench-decide``).

    python -m benchmarks.bench_decide [--only latency,throughput,rebuild,replay] [--triggers N] [--backlog N]

The last line of stdout is one JSON object (its keys: docs/decider.md); progress goes to stderr. Kafka and the registry
are started for it, or those of ``TRADETRAIL_KAFKA`` and ``TRADETRAIL_REGISTRY_URL`` are used; the decider is a process
as in production, Alpaca is simulated over HTTP and answers at once.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from benchmarks.decide_latency import latency, throughput
from tradetrail.errors import Fatal, TradetrailError
from tradetrail.process import EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack
from tradetrail.telemetry import configure_logging

TRIGGERS, BACKLOG = 300, 3_000


def say(line: str) -> None:
    """Tell the progress on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


Measure = Callable[[str, str], dict[str, Any]]


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
    chosen = [part for part in options.only.split(",") if part] or list(parts)
    if unknown := sorted(set(chosen) - set(parts)):
        parser.error(f"--only knows {', '.join(parts)}; not {', '.join(unknown)}")
    figures: dict[str, Any] = {}
    try:
        measures = {part: parts[part]() for part in chosen}
        with tempfile.TemporaryDirectory() as home:
            configure_logging(SharedSettings(log_level="warning"))
            with LocalStack(home, parts=("kafka", "registry")) as stack:
                at = stack.addresses
                for part, measure in measures.items():
                    say(part)
                    found = measure(at.kafka, at.registry_url)
                    say(json.dumps(found))
                    figures |= found
    except TradetrailError as error:
        say(str(error))
        return exit_code_of(error)
    print(json.dumps(figures))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
