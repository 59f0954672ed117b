"""A short campaign of a fixed seed; the long one is ``make faults ARGS="--only auditor"`` (docs/faults.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.auditor_campaign import run_campaign
from tests.faults.dealing import Fault

pytestmark = pytest.mark.stack

# All at the same time; none that waits for a frozen one's locks, or takes Kafka away.
FAULTS = [
    Fault("kill", "before_commit"),
    Fault("raised-at-commit", "53100"),
    Fault("deadlock", "rows"),
]


@pytest.mark.usefixtures("lent_servers")
@pytest.mark.timeout(600)
def test_faults_neither_lose_nor_double_a_row(tmp_path: Path) -> None:
    tally = run_campaign(tmp_path, len(FAULTS), seed=1, wanted=FAULTS)
    assert tally.violations == []
    # Each fault struck where it was to strike.
    assert tally.by_step["kills before_commit"] == 1
    assert tally.by_step["errors_raised 53100"] == 1
    assert tally.by_step["deadlocks rows"] == 1
    assert tally.done["reds"] == 1
    assert tally.done["events"] > 1_000, "rounds with few events prove little"
