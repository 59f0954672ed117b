"""Killing services during the demo changes nothing in what it ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.walks import SERVICES, differences, walked

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADETRAIL_HOME", str(tmp_path))


@pytest.mark.timeout(900)
def test_kills_of_every_service_leave_the_same_reports_and_lose_nothing() -> None:
    undisturbed = walked()
    assert undisturbed.violations == []
    decisions = [d for r in undisturbed.reports.values() for d in r["decisions_made"]]
    assert len(decisions) > 5, "a walk without decisions proves nothing"
    disturbed = walked(victims=SERVICES, kills=8, seed=7)
    assert len(disturbed.kills) >= 5
    assert disturbed.violations == []
    assert differences(undisturbed, disturbed) == []
