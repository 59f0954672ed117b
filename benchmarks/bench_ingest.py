"""The ingestor on every row of a data folder, twice, on a log of its own (``make bench-ingest``).

    python -m benchmarks.bench_ingest [--data FOLDER]

The last line of stdout is one JSON object (its keys: docs/ingestor.md); progress goes to stderr. Exit code 1 when a
count does not add up, 2 for a folder that can't be used. Kafka and the registry are started for it, or those of
``TRADETRAIL_KAFKA`` and ``TRADETRAIL_REGISTRY_URL`` are used; the vendor is simulated, over HTTP, in its own process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.ingest_measures import peak_rss_mb, run_logging_overhead_ms, state_load_s
from benchmarks.ingest_passes import (
    CONGRESS,
    INSIDER,
    Passed,
    congress_periods,
    ingestor,
    insider_periods,
    passed,
    unpaced,
    windows_for,
)
from benchmarks.ingest_vendor import Folder, insider_day, vendor
from services.ingestor.rebuild import rebuild_state
from tradetrail.errors import TradetrailError, UsageError
from tradetrail.log.codec import Codec
from tradetrail.log.provision import provision
from tradetrail.process import EXIT_FAILED, EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack
from tradetrail.telemetry import configure_logging

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
# A row makes at least a DisclosureRecorded and a RecordKept.
_EVENTS_A_ROW = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: known records at start, rows of the run whose memory is taken, pairs of runs compared."""

    known_records: int = 100_000
    memory_rows: int = 10_000
    overhead_rounds: int = 30


def bench(
    path: Path, folder: Folder, kafka: str, registry_url: str, sizes: Sizes
) -> tuple[dict[str, Any], list[str]]:
    """Return the figures, and what does not add up, a sentence each; ``folder`` is what was read from ``path``.

    Uses topics under prefixes of its own and leaves them there.
    """
    figures, wrong = _passes(path, folder, _settings(kafka, registry_url))
    say(f"starting with {sizes.known_records} known records")
    load_s, sent_per_s = state_load_s(_settings(kafka, registry_url), folder, sizes.known_records)
    with vendor(path, sizes.memory_rows) as served:
        say(f"the memory of a run of {sizes.memory_rows} rows")
        peak = peak_rss_mb(_log(kafka, registry_url), served, sizes.memory_rows)
        say(f"{sizes.overhead_rounds} runs with and without their log, in turn")
        settings = _log(kafka, registry_url)
        overhead = run_logging_overhead_ms(settings, served, sizes.overhead_rounds)
    return figures | {
        "peak_rss_mb": peak,
        "state_load_s": round(load_s, 2),
        **{name: round(value, 1) for name, value in overhead.items()},
        "plain_events_per_s": round(sent_per_s),
        "rows_ratio_to_plain": round(figures["rows_per_s"] * _EVENTS_A_ROW / sent_per_s, 3),
    }, wrong


def _passes(
    path: Path, folder: Folder, settings: SharedSettings
) -> tuple[dict[str, Any], list[str]]:
    own = windows_for(folder, unpaced())
    periods = {CONGRESS: congress_periods(folder), INSIDER: insider_periods(folder)}
    provision(settings, Codec(settings.registry_url))
    with vendor(path) as served, ingestor(settings, served, own) as parts:
        first = {task: passed(parts, task, periods[task], say) for task in periods}
        second = {task: passed(parts, task, periods[task], say) for task in periods}
        say("comparing the state topic with the records of the log")
        started = time.perf_counter()
        difference = rebuild_state(parts, dry_run=True)
        check_s = time.perf_counter() - started
    unasked = sum(insider_day(row) is None for row in folder.insiders)
    rows = {CONGRESS: len(folder.congress), INSIDER: len(folder.insiders) - unasked}
    took_s = sum(each.took_s for each in first.values())
    figures = {
        **_told("congress", rows[CONGRESS], first[CONGRESS]),
        **_told("insider", rows[INSIDER], first[INSIDER]),
        "insider_rows_without_day": unasked,
        "second_pass_created": sum(each.counts.created for each in second.values()),
        "second_pass_updated": sum(each.counts.updated for each in second.values()),
        "second_pass_skipped": sum(each.counts.skipped for each in second.values()),
        "rows_per_s": round(sum(rows.values()) / took_s, 1) if took_s else 0.0,
        "runs": sum(each.runs for each in first.values()),
        "state_differences": difference.total,
        "state_check_s": round(check_s, 2),
    }
    return figures, wrong_of(rows, first, second, difference.total)


def _told(kind: str, rows: int, first: Passed) -> dict[str, Any]:
    return {
        f"{kind}_rows": rows,
        f"{kind}_created": first.counts.created,
        f"{kind}_updated": first.counts.updated,
        f"{kind}_skipped": first.counts.skipped,
        f"{kind}_flags": dict(first.counts.flags),
    }


def wrong_of(
    rows: dict[str, int],
    first: dict[str, Passed],
    second: dict[str, Passed],
    differences: int,
) -> list[str]:
    """Return what does not add up, a sentence each."""
    found = []
    for name, passes in (("first", first), ("second", second)):
        for task, each in passes.items():
            if each.error is not None:
                found.append(f"{name} pass: a run failed: {each.error}")
            counts = each.counts
            if counts.created + counts.updated + counts.skipped != rows[task]:
                found.append(
                    f"{name} pass of {task}: {counts.created} created + {counts.updated} updated + {counts.skipped} "
                    f"skipped are not the {rows[task]} rows"
                )
            if name == "second" and counts.created:
                found.append(
                    f"second pass of {task}: {counts.created} records created, none expected"
                )
    if differences:
        found.append(f"{differences} entries of the state topic are not what the log's records say")
    return found


def _settings(kafka: str, registry_url: str) -> SharedSettings:
    return SharedSettings(
        kafka=kafka,
        registry_url=registry_url,
        topic_prefix=f"bench{uuid4().hex[:8]}.",
        instance="bench",
        log_level="warning",
    )


def _log(kafka: str, registry_url: str) -> SharedSettings:
    """Return the settings of a new log, provisioned."""
    settings = _settings(kafka, registry_url)
    provision(settings, Codec(settings.registry_url))
    return settings


def say(line: str) -> None:
    """Tell the progress on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _folder(chosen: Path | None) -> Path:
    path = chosen or Path(os.environ.get("TRADETRAIL_DATA_DIR") or _BESIDE)
    if not path.is_dir():
        raise UsageError(
            f"there is no folder {path}; name one with congress_v1.jsonl or insiders.jsonl, plain or gzipped: "
            'make bench-ingest ARGS="--data FOLDER", or TRADETRAIL_DATA_DIR'
        )
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a stack of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_ingest", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="disclosures to ingest (default: TRADETRAIL_DATA_DIR, else ../shared/data)",
    )
    options = parser.parse_args(arguments)
    try:
        path = _folder(options.data)
        folder = Folder.read(path)
        with tempfile.TemporaryDirectory() as home:
            configure_logging(SharedSettings(log_level="warning"))
            with LocalStack(home, parts=("kafka", "registry")) as stack:
                addresses = stack.addresses
                figures, wrong = bench(
                    path, folder, addresses.kafka, addresses.registry_url, Sizes()
                )
    except TradetrailError as error:
        say(str(error))
        return exit_code_of(error)
    for sentence in wrong:
        say(f"wrong: {sentence}")
    print(json.dumps(figures))
    return EXIT_FAILED if wrong else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
