"""The reports' benchmark, small: what it seeds is what the reports find, and its figures are there."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from benchmarks.bench_reports import SUFFIXES, figures, main
from benchmarks.reports_measures import percentiles
from benchmarks.reports_shape import WATCHED, YEAR
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.connection import open_reader
from tradetrail.reports.declined import DeclinedFilter, declined_report
from tradetrail.reports.executed import executed_report
from tradetrail.reports.failed import FailedFilter, failed_report
from tradetrail.reports.symbol import symbol_report

SMALL = Namespace(events_small=1_500, events_large=3_000, step_events=400, repetitions=2)
CHOSEN = ["symbol_year", "list_10k", "portfolio"]
KEYS = {
    *("growth_1m_to_10m", "events_small", "events_large", "partitions_scanned_10m"),
    "list_10k_json_p50_ms_10m",
    *(
        f"{name}_{way}_p50_ms_{size}"
        for name in CHOSEN
        for way in ("db", "http")
        for size in SUFFIXES
    ),
}
# Asked twice, nothing has a 99th percentile.
TOO_FEW = {
    f"{name}_{way}_p99_ms_{size}" for name in CHOSEN for way in ("db", "http") for size in SUFFIXES
}


@pytest.mark.stack
def test_what_is_seeded_is_what_the_reports_find(
    stack: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dsn, schema = stack.addresses.postgres_dsn, f"bench_{uuid4().hex[:8]}"
    try:
        found = figures(dsn, schema, SMALL, CHOSEN, tmp_path)
        assert "not measured" not in capsys.readouterr().err
        again = figures(dsn, schema, SMALL, ["symbol_year"], tmp_path / "again")
        assert "not measured at 1," in capsys.readouterr().err
        with open_reader(dsn, schema) as connection:
            tops = symbol_report(connection, WATCHED["top"], *YEAR)
            totals = {
                "executed": executed_report(connection, TradeFilter())["totals"],
                "failed": failed_report(connection, FailedFilter())["totals"],
                "declined": declined_report(connection, DeclinedFilter())["totals"],
            }
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
            connection.execute(f"DROP TABLE {schema}_tallies")
    assert found.keys() >= KEYS
    assert all(found[key] is not None for key in KEYS)
    assert {key for key in found if found[key] is None} == TOO_FEW == set(found["too_few_for_p99"])
    seeded = found["seeded_large"]
    assert found["events_small"] < found["events_large"] == seeded["events"] >= SMALL.events_large
    for kind in ("failed", "declined"):
        assert totals[kind][kind] == seeded[f"all {kind}"]
    # A decision that failed after a part was filled has both.
    assert totals["executed"]["executed"] == seeded["all trades"]
    for side, bought in (("buy", "shares_bought"), ("sell", "shares_sold")):
        assert totals["executed"][bought] == seeded[f"all shares {side}"]
        assert tops["summary"]["executions"][bought] == seeded.get(f"top shares {side}", 0)
    sums = tops["summary"]["decisions"]
    assert sums["total_signals"] == seeded["top decisions"]
    assert (sums["executed"], sums["failed"]) == (
        seeded["top executed"],
        seeded.get("top failed", 0),
    )
    assert tops["totals"]["declined"] == seeded["top declined"]
    # Only the account's newest answer is looked up among the events, in the month that it names.
    assert found["partitions_scanned_10m"] == {"symbol_year": 0, "list_10k": 0, "portfolio": 1}
    assert {file.name for file in (tmp_path / "10m").iterdir()} == {f"{n}.json" for n in CHOSEN}
    # Kept at the larger size, the database tells nothing about the smaller one.
    of_small = {f"symbol_year_{way}_p50_ms_1m" for way in ("db", "http")}
    for key in of_small | {"growth_1m_to_10m", "events_small", "partitions_scanned_1m"}:
        assert again[key] is None
    assert not [key for key in again["too_few_for_p99"] if key.endswith("_1m")]
    assert again["symbol_year_db_p50_ms_10m"] is not None
    for key in ("events_large", "seeded_small", "seeded_large"):
        assert again[key] == found[key]


def test_fewer_than_a_hundred_have_no_99th_percentile() -> None:
    assert percentiles(range(99, 0, -1)) == (50, None)
    assert percentiles(range(100, 0, -1)) == (50.5, 99)
    assert percentiles(range(200, 0, -1)) == (100.5, 198)


def test_a_question_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert "--only knows symbol_year, " in capsys.readouterr().err
