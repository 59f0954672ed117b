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


def _measured(module: str, function: str, kafka: str, registry_url: str) -> dict[str, Any]:
    """Return the figures of a part that stands in a module of its own."""
    try:
        measure = getattr(import_module(f"benchmarks.{module}"), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise Fatal(f"this part can't be measured: {error}; leave it out with --only") from error
    figures: dict[str, Any] = measure(kafka, registry_url)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a stack of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_decide", description=__doc__)
    add = parser.add_argument
    add("--triggers", type=int, default=TRIGGERS, metavar="N", help="single triggers to time")
    add("--backlog", type=int, default=BACKLOG, metavar="N", help="triggers of the backlog")
    add("--only", default="", metavar="PARTS", help="of latency,throughput,rebuild,replay")
    options = parser.parse_args(arguments)
    parts: dict[str, Callable[[str, str], dict[str, Any]]] = {
        "latency": lambda kafka, registry: latency(kafka, registry, options.triggers, say),
        "throughput": lambda kafka, registry: throughput(kafka, registry, options.backlog, say),
        "rebuild": lambda kafka, registry: _measured("decide_rebuild", "rebuild", kafka, registry),
        "replay": lambda kafka, registry: _measured("decide_replay", "replay", kafka, registry),
    }
    chosen = [part for part in options.only.split(",") if part] or list(parts)
    if unknown := sorted(set(chosen) - set(parts)):
        parser.error(f"--only knows {', '.join(parts)}; not {', '.join(unknown)}")
    figures: dict[str, Any] = {}
    try:
        with tempfile.TemporaryDirectory() as home:
            configure_logging(SharedSettings(log_level="warning"))
            with LocalStack(home, parts=("kafka", "registry")) as stack:
                at = stack.addresses
                for part in chosen:
                    say(part)
                    figures |= parts[part](at.kafka, at.registry_url)
    except TradetrailError as error:
        say(str(error))
        return exit_code_of(error)
    print(json.dumps(figures))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
