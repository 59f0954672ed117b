"""The command line of a replay: what it refuses, how it ends, what it brings into the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.decider.replay.entry import main
from services.decider.replay.report import (
    CHANGE_COLUMNS,
    DIFFERENCE_COLUMNS,
    differences_report,
    sheet,
    whatif_report,
)
from tests.replay_log import judged, small_log, tried
from tests.unit.test_replay_whatif import asked
from tradetrail.reports.encode import to_json
from tradetrail.reports.export import to_csv


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "2020-13-01"], "YYYY-MM-DD"),
        (["--from", "2020-02-01", "--to", "2020-01-01"], "before it begins"),
        (["--set", "strength_min"], "threshold=value"),
        (["--set", "foo=1"], "CorporateInsiderStrategy.cluster_insiders: Distinct insiders"),
        (["--strategy", "Nobody"], "CongressionalTradingStrategy"),
        (["--symbol", "A B"], "symbol"),
        (["--colour"], "--help"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_before_the_log_is_asked(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_a_log_that_does_not_answer_ends_with_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRADETRAIL_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr("tradetrail.log.reader.REQUEST_TIMEOUT_S", 0.2)
    assert main([]) == 3
    assert "127.0.0.1:1" in capsys.readouterr().err


def test_nothing_that_writes_or_sends_is_even_loaded() -> None:
    code = (
        "import json, sys, services.decider.replay.entry; "
        "print(json.dumps(sorted(sys.modules.keys())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=180
    )
    loaded = set(json.loads(done.stdout))
    forbidden = {
        "alpaca",
        "requests",
        "tradetrail.log.producer",
        "services.decider.contexts.alpaca_edge",
    }
    assert not loaded & forbidden


def test_rows_have_the_columns_they_are_printed_under(tmp_path: Path) -> None:
    log = small_log()
    whatif = whatif_report(asked("strength_min=1"), tried(log, asked("strength_min=1")), 0.1)
    assert set(whatif["rows"][0]) == set(CHANGE_COLUMNS)
    assert to_csv(sheet(whatif)).splitlines()[0] == ",".join(CHANGE_COLUMNS)
    log.alter(lambda answer: None if answer.symbol == "AAPL" else answer)
    same = differences_report(asked(), judged(log), 0.1)
    assert set(same["rows"][0]) == set(DIFFERENCE_COLUMNS)
    assert json.loads(to_json(same))["differences"] == same["differences"] > 0
