"""A short campaign of a fixed seed; the long one is ``make faults ARGS="--only executor"`` (docs/faults.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.dealing import Fault
from tests.faults.executor_campaign import run_campaign

pytestmark = pytest.mark.stack

# All at the same time; none that takes Kafka away, which costs a whole minute on a busy machine.
FAULTS = [
    Fault("kill", "after_post"),
    Fault("freeze", "after_intent"),
    Fault("trouble", "lost-answer"),
    Fault("trouble", "lost-request"),
    Fault("away", "refused"),
    Fault("halt"),
]


@pytest.mark.usefixtures("lent_servers")
@pytest.mark.timeout(600)
def test_faults_neither_lose_nor_double_an_order(tmp_path: Path) -> None:
    tally = run_campaign(tmp_path, len(FAULTS), seed=1, wanted=FAULTS)
    assert tally.violations == []
    # Each fault struck where it was to strike.
    assert tally.by_step["kills after_post"] == 1
    assert tally.by_step["freezes after_intent"] == 1
    assert tally.by_step["troubles lost-answer"] == 1
    assert tally.done["halts"] == 1
    assert tally.done["orders"] > 20, "rounds with few orders prove little"
