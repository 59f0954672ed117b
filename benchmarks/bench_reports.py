"""How long reports take, and how that grows from a million events to ten (``make bench-reports``).

    python -m benchmarks.bench_reports [--events-small N] [--events-large N] [--keep FOLDER] [--only QUESTIONS]

A Postgres of its own is filled through the auditor's writer, measured, filled further and measured again. With
``--keep`` it stays in FOLDER and is used again, also by a seed that was cut off; once it holds more than the smaller
size, that is not measured. The last line of stdout is one JSON object (its keys: docs/reports.md); progress goes to
stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.parts import chosen_of, say
from benchmarks.reports_asked import QUESTIONS
from benchmarks.reports_measures import REPETITIONS, measure
from benchmarks.reports_seed import done_steps, seed
from benchmarks.reports_server import postgres
from benchmarks.reports_shape import LANES, Size
from tradetrail.errors import TradetrailError
from tradetrail.process import EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings
from tradetrail.telemetry import configure_logging

SMALL, LARGE, STEP_EVENTS = 1_000_000, 10_000_000, 7_000
SCHEMA = "audit"
# The figures of the larger and the smaller size; ``events_small`` and ``events_large`` say how large they were.
SUFFIXES = ("1m", "10m")


def figures(
    dsn: str, schema: str, options: argparse.Namespace, chosen: list[str], plans: Path
) -> dict[str, Any]:
    """Seed and measure at both sizes; return the figures under the names that are documented.

    Those of a size that the database was past already are null.
    """
    steps = [
        _steps(count, options.step_events) for count in (options.events_small, options.events_large)
    ]
    size = Size(steps[0], steps[1], options.step_events)
    found: dict[str, Any] = {}
    measured: dict[str, dict[str, Any]] = {}
    for until, suffix, name in zip(steps, SUFFIXES, ("small", "large"), strict=True):
        say(f"seeding {until * LANES * options.step_events:,} events")
        tally = seed(dsn, schema, size, until, say)
        found[f"seeded_{name}"] = dict(sorted(tally.items()))
        found[f"events_{name}"] = None
        if max(done_steps(dsn, schema)) > until:
            say(
                f"not measured at {tally['events']:,} events: the database holds more already, so the {suffix} "
                "figures are null; for these, seed another --keep folder"
            )
            continue
        found[f"events_{name}"] = tally["events"]
        say(f"measuring at {tally['events']:,} events")
        measured[suffix] = measure(dsn, schema, chosen, options.repetitions, plans / suffix, say)
    found |= _by_size(measured)
    for key in ("symbol_year_db_p99_ms_10m", "symbol_year_http_p99_ms_10m"):
        found.setdefault(key, None)
    found["list_10k_json_p50_ms_10m"] = found.get("list_10k_http_p50_ms_10m")
    before, after = (found.get(f"symbol_year_db_p50_ms_{suffix}") for suffix in SUFFIXES)
    found["growth_1m_to_10m"] = round(after / before, 2) if before and after else None
    return found


def _by_size(measured: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return every figure with its size's suffix, null where the size was not measured; and which lack a p99."""
    names = dict.fromkeys(name for figures in measured.values() for name in figures)
    found = {
        f"{name}_{suffix}": measured.get(suffix, {}).get(name)
        for suffix in SUFFIXES
        for name in names
    }
    too_few = [
        f"{name}_{suffix}"
        for suffix, figures in measured.items()
        for name, value in figures.items()
        if value is None
    ]
    return found | {"too_few_for_p99": too_few}


def _steps(events: int, step_events: int) -> int:
    """Return how many steps each lane takes for so many events: at least one."""
    return max(1, round(events / (LANES * step_events)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a Postgres of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_reports", description=__doc__)
    add = parser.add_argument
    add("--events-small", type=int, default=SMALL, metavar="N", help="events of the first measure")
    add("--events-large", type=int, default=LARGE, metavar="N", help="events of the second")
    add("--step-events", type=int, default=STEP_EVENTS, metavar="N", help="events of a batch")
    add("--repetitions", type=int, default=REPETITIONS, metavar="N", help="times a report is asked")
    add("--keep", type=Path, default=None, metavar="FOLDER", help="where the database stays")
    add("--plans", type=Path, default=None, metavar="FOLDER", help="where the query plans go")
    add("--only", default="", metavar="QUESTIONS", help=f"of {','.join(QUESTIONS)}")
    options = parser.parse_args(arguments)
    chosen = chosen_of(parser, options.only, QUESTIONS)
    plans = options.plans or (options.keep or Path(".tradetrail")) / "report-plans"
    try:
        configure_logging(SharedSettings(log_level="warning"))
        with ExitStack() as opened:
            folder = options.keep or Path(opened.enter_context(tempfile.TemporaryDirectory()))
            dsn = opened.enter_context(postgres(folder))
            found = figures(dsn, SCHEMA, options, chosen, plans)
    except TradetrailError as error:
        say(str(error))
        return exit_code_of(error)
    say(f"query plans: {plans}")
    print(json.dumps(found))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
