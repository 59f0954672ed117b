"""A short campaign of a fixed seed; the long one is ``make faults ARGS="--only decider"`` (docs/faults.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.dealing import Fault
from tests.faults.decider_campaign import run_campaign

pytestmark = pytest.mark.stack

# Two at a time; none that takes the broker away, which costs a whole minute on a busy machine.
FAULTS = [
    Fault("kill", "half_sent"),
    Fault("join", "context_read"),
    Fault("freeze", "before_commit"),
    Fault("vendor", "503"),
]


@pytest.mark.usefixtures("lent_servers")
@pytest.mark.timeout(900)
def test_faults_change_nothing_in_the_sequence_of_answers(tmp_path: Path) -> None:
    tally = run_campaign(tmp_path, len(FAULTS), seed=3, wanted=FAULTS)
    assert tally.violations == []
    # Each fault struck where it was to strike.
    assert tally.by_step["kills half_sent"] >= 1
    assert tally.by_step["joins context_read"] == 1
    assert tally.by_step["freezes before_commit"] == 1
    assert tally.by_step["vendor_troubles 503"] == 1
    assert tally.done["answers"] > 200, "rounds with little to answer prove little"
