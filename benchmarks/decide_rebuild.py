"""How long a decider's start takes, and how much it remembers, with a million events in the look-back.

    python -m benchmarks.decide_rebuild [--events N]

The last line of stdout is one JSON object; progress goes to stderr. Part of ``make bench-decide``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.child import measured_apart
from benchmarks.decide_log import write_log
from benchmarks.log_rig import new_log
from services.decider.settings import DeciderSettings
from services.decider.views.memory import LONG_READS, Memory
from tradetrail.errors import TradetrailError
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_consumer
from tradetrail.log.reader import Place, end_offsets, places_of, read_messages
from tradetrail.log.topics import Topics
from tradetrail.log.window_start import window_starts
from tradetrail.process import EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack
from tradetrail.telemetry import configure_logging

EVENTS = 1_000_000
# So much of the log is older than the look-back, and must not cost anything.
OLDER = 4
# Rebuilds and plain readings take turns, each in a process of its own; medians are told.
ROUNDS = 3
_CHILD_TIMEOUT_S = 600.0
_LOOKBACK = timedelta(days=DeciderSettings().lookback_days)


def measure(kafka: str, registry_url: str, events: int = EVENTS) -> dict[str, Any]:
    """Return the figures of ``docs/decider.md`` for a look-back of ``events`` events, on topics of its own."""
    settings = new_log(kafka, registry_url)
    codec = Codec(registry_url)
    total = events + events // OLDER
    say(f"writing {total} events, {events} of them in the look-back")
    size = write_log(settings, codec, total, _LOOKBACK * total / events)
    took: dict[str, list[dict[str, float]]] = {"rebuild": [], "consume": []}
    for number in range(ROUNDS):
        for what, found in took.items():
            say(f"{what}, {number + 1} of {ROUNDS}")
            found.append(_in_a_process(settings, what))
    rebuilt, consumed = (
        {key: median(each[key] for each in took[what]) for key in took[what][0]} for what in took
    )
    return {
        "view_rebuild_1m_s": round(rebuilt["wall_s"] * EVENTS / events, 2),
        "view_rebuild_cpu_s": round(rebuilt["cpu_s"] * EVENTS / events, 2),
        "view_rebuild_search_s": round(rebuilt["search_s"], 3),
        "view_rss_mb": round(rebuilt["rss_mb"], 1),
        "view_start_rss_mb": round(rebuilt["start_rss_mb"], 1),
        "view_bytes_per_event": round(
            (rebuilt["rss_mb"] - rebuilt["start_rss_mb"]) * 2**20 / events
        ),
        "view_events_read": round(consumed["events"]),
        "view_log_bytes_per_event": round(size / total),
        "view_consume_s": round(consumed["wall_s"] * EVENTS / events, 2),
        "view_consume_cpu_s": round(consumed["cpu_s"] * EVENTS / events, 2),
        "view_rebuild_ratio_to_consume": round(rebuilt["wall_s"] / consumed["wall_s"], 2),
        "view_rebuild_cpu_ratio_to_consume": round(rebuilt["cpu_s"] / consumed["cpu_s"], 2),
        "view_symbols": round(rebuilt["symbols"]),
    }


def _in_a_process(settings: SharedSettings, what: str) -> dict[str, float]:
    arguments = ["benchmarks.decide_rebuild", "--child", what]
    told = measured_apart(settings, arguments, f"the {what}", _CHILD_TIMEOUT_S)
    return {key: float(value) for key, value in told.items()}


def rebuild(settings: SharedSettings, committed: dict[Place, int]) -> dict[str, float]:
    """Take all partitions as a decider does that committed everything."""
    memory = Memory(settings, Codec(settings.registry_url), _LOOKBACK.days)
    before = _rss_mb()
    started, cpu = time.perf_counter(), time.process_time()
    memory.take(committed)
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    after = _rss_mb()
    started = time.perf_counter()
    window_starts(settings, committed, _LOOKBACK)
    return {
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "rss_mb": after,
        "start_rss_mb": before,
        "search_s": time.perf_counter() - started,
        "symbols": memory.symbol_count,
    }


def consume(settings: SharedSettings, committed: dict[Place, int]) -> dict[str, float]:
    """Read the same events and do nothing with them."""
    starts = window_starts(settings, committed, _LOOKBACK + timedelta(days=1))
    started = time.perf_counter()
    consumer = open_consumer(settings, **LONG_READS)
    cpu = time.process_time()
    count = sum(1 for _ in read_messages(consumer, starts, committed))
    consumer.close()
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "events": count,
    }


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def say(line: str) -> None:
    """Tell the progress on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _child(what: str) -> None:
    settings = SharedSettings(log_level="warning")
    configure_logging(settings)
    committed = end_offsets(settings, places_of(settings, Topics.of(settings).trade()))
    print(json.dumps({"rebuild": rebuild, "consume": consume}[what](settings, committed)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a stack of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decide_rebuild")
    parser.add_argument(
        "--events", type=int, default=EVENTS, metavar="N", help="events in the look-back"
    )
    parser.add_argument("--child", choices=("rebuild", "consume"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.child:
            _child(options.child)
            return EXIT_OK
        with tempfile.TemporaryDirectory() as home:
            configure_logging(SharedSettings(log_level="warning"))
            with LocalStack(home, parts=("kafka", "registry")) as stack:
                at = stack.addresses
                print(json.dumps(measure(at.kafka, at.registry_url, options.events)))
    except TradetrailError as error:
        say(str(error))
        return exit_code_of(error)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
