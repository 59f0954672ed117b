"""The ingestor's benchmark, small: its counts add up for odd folders too, and it says so when they don't."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench_ingest import Sizes, bench, main, wrong_of
from benchmarks.ingest_passes import CONGRESS, INSIDER, Passed
from benchmarks.ingest_vendor import Folder
from services.ingestor.recording.counts import Counts
from simulators.world import open_world
from tests.contract.quiver_server import congress_row, insider_row

SMALL = Sizes(known_records=300, memory_rows=200, overhead_rounds=1)
# The vendor's promises that every judge of the benchmark reads.
KEYS = {
    "congress_rows",
    "congress_created",
    "congress_updated",
    "congress_skipped",
    "insider_rows",
    "insider_created",
    "insider_updated",
    "insider_skipped",
    "second_pass_created",
    "rows_per_s",
    "peak_rss_mb",
    "state_load_s",
    "run_logging_overhead_ms",
}
WEEK_ROWS = 60
ODD_CONGRESS = [
    congress_row("2025-06-02").fields,
    congress_row("2024-01-10", ReportDate=None).fields,
    congress_row("2024-01-10", ReportDate=None).fields,
    congress_row("2024-01-10", ReportDate="soon", Description="half \ud83d").fields,
    # Differs from the rows without a day in their day alone: a trade of its own, no correction.
    congress_row("2024-01-10").fields,
    congress_row("2024-01-10", ReportDate="0201-01-10", Ticker="BRK-B").fields,
    *([congress_row("2022-01-10", Ticker="ZZZ").fields] * 3),
]
ODD_INSIDERS = [
    insider_row("2025-06-02T00:00:00.000").fields,
    *([insider_row("2024-01-10T08:00:00.000").fields] * 3),
    insider_row("2024-01-10T08:00:00.000").fields | {"fileDate": None},
    insider_row("2024-01-10T08:00:00.000").fields | {"fileDate": "soon"},
]


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.mark.stack
def test_a_folder_with_odd_rows_adds_up_and_its_second_pass_creates_nothing(
    stack: Any, tmp_path: Path
) -> None:
    world = open_world(None)
    congress = [row.fields for row in world.congress[:WEEK_ROWS]] + ODD_CONGRESS
    insiders = [row.fields for row in world.insiders[:WEEK_ROWS]] + ODD_INSIDERS
    write(tmp_path / "congress_v1.jsonl", congress)
    write(tmp_path / "insiders.jsonl", insiders)
    at = stack.addresses
    figures, wrong = bench(tmp_path, Folder.read(tmp_path), at.kafka, at.registry_url, SMALL)
    assert wrong == []
    assert figures.keys() >= KEYS
    assert figures["congress_rows"] == len(congress)
    assert figures["insider_rows"] + figures["insider_rows_without_day"] == len(insiders)
    assert figures["insider_rows_without_day"] == 2
    for kind in ("congress", "insider"):
        told = [figures[f"{kind}_{what}"] for what in ("created", "updated", "skipped")]
        assert told == [figures[f"{kind}_rows"], 0, 0]
    assert figures["second_pass_created"] == figures["second_pass_updated"] == 0
    assert figures["second_pass_skipped"] == figures["congress_rows"] + figures["insider_rows"]
    assert figures["congress_flags"]["unreadable_date"] >= 3
    assert figures["state_differences"] == 0


def test_one_file_is_enough_and_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert main(["--data", str(tmp_path / "nowhere")]) == 2
    assert 'ARGS="--data FOLDER"' in capsys.readouterr().err
    write(tmp_path / "insiders.jsonl", ODD_INSIDERS)
    folder = Folder.read(tmp_path)
    assert (len(folder.congress), len(folder.insiders)) == (0, len(ODD_INSIDERS))


def counted(created: int, skipped: int) -> Passed:
    fetched = created + skipped
    return Passed(Counts(fetched, created, 0, 0, {}), 1, 1.0, None)


def test_counts_that_do_not_add_up_are_told() -> None:
    rows = {CONGRESS: 3, INSIDER: 2}
    first = {CONGRESS: counted(2, 1), INSIDER: counted(2, 0)}
    second = {CONGRESS: counted(0, 3), INSIDER: counted(0, 2)}
    assert wrong_of(rows, first, second, 0) == []
    assert len(wrong_of(rows, first, second, 1)) == 1
    assert len(wrong_of(rows, first, {**second, CONGRESS: counted(0, 2)}, 0)) == 1
    assert len(wrong_of(rows, first, {**second, INSIDER: counted(1, 1)}, 0)) == 1
    assert len(wrong_of({**rows, INSIDER: 3}, first, second, 0)) == 2
