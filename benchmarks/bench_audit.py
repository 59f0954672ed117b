"""How fast the auditor writes, beside a usual sink, a usual consumer and the limit (``make bench-audit``).

    python -m benchmarks.bench_audit [--only auditor,debezium,orm,limit,two,year,rebuild] [--events N] [--rounds N]

The last line of stdout is one JSON object (its keys: docs/audit-database.md); progress goes to stderr. Kafka, registry
and Postgres are started for it, or those of ``TRADETRAIL_KAFKA``, ``TRADETRAIL_REGISTRY_URL`` and
``TRADETRAIL_POSTGRES_DSN`` are used. What can't be had is null, with its reason under ``skipped``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks.audit_race import CONTESTANTS, race
from benchmarks.audit_rebuild import rebuild
from benchmarks.audit_year import year
from benchmarks.parts import chosen_of, say
from tradetrail.errors import TradetrailError
from tradetrail.process import EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import Addresses, LocalStack
from tradetrail.telemetry import configure_logging

EVENTS, ROUNDS, DECISIONS, REBUILT = 500_000, 3, 2_000, 100_000
PARTS = (*CONTESTANTS, "year", "rebuild")
# What is left out is null, so that every key is there in any case.
_YEAR_KEYS = ("mb_per_year", "bytes_per_decision", "statements_per_decision")


def measure(at: Addresses, options: argparse.Namespace, chosen: Sequence[str]) -> dict[str, Any]:
    """Return the figures of the chosen parts, measured on the servers ``at``."""
    servers = (at.kafka, at.registry_url, at.postgres_dsn)
    figures: dict[str, Any] = {"skipped": {}}
    if set(chosen) & set(CONTESTANTS):
        figures = race(*servers, options.events, options.rounds, chosen, say)
    figures |= dict.fromkeys((*_YEAR_KEYS, "rebuild_1m_s"))
    for name in ("year", "rebuild"):
        if name not in chosen:
            figures["skipped"][name] = "left out by --only"
    if "year" in chosen:
        figures |= year(*servers, options.decisions, say)
    if "rebuild" in chosen:
        figures |= rebuild(*servers, options.rebuilt, say)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a stack of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_audit", description=__doc__)
    add = parser.add_argument
    add("--events", type=int, default=EVENTS, metavar="N", help="events of the race")
    add("--rounds", type=int, default=ROUNDS, metavar="N", help="rounds of the race")
    add(
        "--decisions",
        type=int,
        default=DECISIONS,
        metavar="N",
        help="decisions whose cost is taken",
    )
    add("--rebuilt", type=int, default=REBUILT, metavar="N", help="events of the rebuild")
    add("--only", default="", metavar="PARTS", help=f"of {','.join(PARTS)}")
    options = parser.parse_args(arguments)
    chosen = chosen_of(parser, options.only, PARTS)
    try:
        configure_logging(SharedSettings(log_level="warning"))
        with tempfile.TemporaryDirectory() as home, LocalStack(home) as stack:
            figures = measure(stack.addresses, options, chosen)
    except TradetrailError as error:
        say(str(error))
        return exit_code_of(error)
    print(json.dumps(figures))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
