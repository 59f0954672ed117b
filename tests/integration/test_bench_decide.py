"""The decider's benchmark, small: its figures are there, and it says so when a part can't be measured."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.bench_decide import main, measured
from benchmarks.decide_latency import latency
from tradetrail.errors import Fatal


@pytest.mark.stack
def test_single_triggers_are_timed_and_split(stack: Any) -> None:
    at, said = stack.addresses, list[str]()
    figures = latency(at.kafka, at.registry_url, 3, said.append, warm_up=1)
    assert figures["event_to_decision_count"] == 3
    assert 0 < figures["event_to_decision_p50_ms"] <= figures["event_to_decision_p99_ms"]
    split = figures["event_to_decision_split_mean_ms"]
    parts = ("fold", "reference", "evaluate", "context", "state")
    assert all(split[part] > 0 for part in ("context", "commit", "process", "waits"))
    # Rounded to a tenth each; folding what comes between two triggers stands apart.
    assert sum(split[part] for part in parts) <= split["process"] + 5
    whole = split["process"] + split["commit"] + split["waits"]
    assert whole == pytest.approx(figures["event_to_decision_mean_ms"], abs=0.5)


def test_a_part_that_is_missing_is_told_before_anything_is_started(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Fatal, match="leave it out with --only"):
        measured("decide_nothing", "nothing")
    with pytest.raises(SystemExit):
        main(["--only", "latency,nothing"])
    assert (
        "--only knows latency, throughput, rebuild, replay; not nothing" in capsys.readouterr().err
    )
