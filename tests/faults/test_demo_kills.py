"""Killing services during the demo changes nothing in what it ends with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.faults.walks import PLAN, SERVICES, differences, walked

pytestmark = pytest.mark.stack
# Five sessions and the morning after.
PLAN_SHORT = replace(PLAN, end=date(2024, 1, 8))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADETRAIL_HOME", str(tmp_path))


@pytest.mark.timeout(900)
def test_kills_of_every_service_leave_the_same_reports_and_lose_nothing() -> None:
    undisturbed = walked(PLAN_SHORT)
    assert undisturbed.violations == []
    decisions = [d for r in undisturbed.reports.values() for d in r["decisions_made"]]
    assert len(decisions) > 5, "a walk without decisions proves nothing"
    disturbed = walked(PLAN_SHORT, victims=SERVICES, kills=6, kills_min=5, seed=7)
    assert len(disturbed.kills) >= 5
    assert disturbed.violations == []
    assert differences(undisturbed, disturbed) == []
