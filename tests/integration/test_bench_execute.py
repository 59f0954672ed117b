"""The executor's benchmark, small: its figures are there, and they fit together."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.bench_execute import main
from benchmarks.execute_backlog import throughput
from benchmarks.execute_latency import latency
from benchmarks.execute_open import open_orders


@pytest.mark.stack
def test_triggers_are_followed_to_the_broker(stack: Any) -> None:
    at, said = stack.addresses, list[str]()
    figures = latency(at.kafka, at.registry_url, 3, said.append, 5, warm_up=1)
    assert figures["log_to_broker_count_at_5ms"] == 3
    median = figures["log_to_broker_p50_ms_at_5ms"]
    assert 0 < median <= figures["log_to_broker_p99_ms_at_5ms"]
    split = figures["log_to_broker_split_mean_ms_at_5ms"]
    whole = split["decided"] + split["intent_logged"] + split["order_there"]
    # Append times are whole milliseconds, and of the wall clock.
    assert whole == pytest.approx(figures["log_to_broker_mean_ms_at_5ms"], abs=5)


@pytest.mark.stack
def test_a_backlog_and_open_orders_are_timed(stack: Any) -> None:
    at, said = stack.addresses, list[str]()
    figures = throughput(at.kafka, at.registry_url, 6, said.append, 5, symbol_count=3)
    assert figures["order_backlog_at_5ms"] == 6
    assert figures["requests_per_order_at_5ms"]["POST /orders"] == 1
    assert figures["orders_per_s_at_5ms"] > 0
    assert figures["orders_ratio_to_limit_at_5ms"] > 0
    found = open_orders(at.kafka, at.registry_url, said.append, 3, rounds=1)
    assert found["open_orders"] == 3
    restart = found["ready_with_3_open_split_s"]
    assert sum(restart.values()) == pytest.approx(found["ready_with_3_open_s"], abs=0.05)
    assert found["takeover_split_s"]["until_elected"] < found["takeover_s"]


def test_a_part_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert "--only knows latency, throughput, open; not nothing" in capsys.readouterr().err
