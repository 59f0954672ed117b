"""The auditor's benchmark, small: its figures are there, and they fit together."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest

from benchmarks.audit_profile import profile
from benchmarks.bench_audit import main, measure

KEYS = {
    *("auditor_events_per_s", "debezium_events_per_s", "orm_events_per_s", "limit_events_per_s"),
    *("ratio_to_debezium", "ratio_to_limit", "rss_mb", "two_auditors_ratio", "rebuild_1m_s"),
    *("mb_per_year", "bytes_per_decision", "statements_per_decision"),
}
SMALL = Namespace(events=400, rounds=1, decisions=3, rebuilt=300)


@pytest.mark.stack
def test_everyone_but_the_peer_is_timed(stack: Any) -> None:
    chosen = ["auditor", "orm", "limit", "two", "year", "rebuild"]
    figures = measure(stack.addresses, SMALL, chosen)
    assert figures.keys() >= KEYS
    assert figures["skipped"] == {"debezium": "left out by --only"}
    without = {"debezium_events_per_s", "ratio_to_debezium"}
    assert {key for key in KEYS if figures[key] is None} == without
    assert all(figures[key] > 0 for key in KEYS - without)
    assert (figures["events"], figures["rebuilt_events"], figures["decisions"]) == (400, 300, 3)
    assert figures["bytes_per_decision"] > figures["log_bytes_per_decision"]


@pytest.mark.stack
def test_the_profile_tells_every_step(stack: Any) -> None:
    found = profile(stack.addresses.postgres_dsn, 400)
    assert min(found["decode"], found["write"]) > 0


def test_a_part_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert (
        "--only knows auditor, debezium, orm, limit, two, year, rebuild" in capsys.readouterr().err
    )
