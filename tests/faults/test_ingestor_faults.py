"""A short campaign of a fixed seed: each kind of fault once; the long one is ``make faults`` (docs/faults.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.dealing import Fault
from tests.faults.ingestor_campaign import run_campaign

pytestmark = pytest.mark.stack

# Two at a time, one of each data source; what takes the broker away goes first, alone.
FAULTS = [
    Fault("kill", "half_sent"),
    Fault("kill-in-request"),
    Fault("freeze-into", "all_sent"),
    Fault("freeze-into", "fencing"),
    Fault("two-at-once"),
    Fault("sigterm", "half_sent"),
    Fault("broker-kill", "offsets_sent"),
    Fault("sigterm", "called"),
]


@pytest.mark.usefixtures("own_servers")
@pytest.mark.timeout(900)
def test_faults_of_every_kind_leave_no_half_run_lose_nothing_and_double_nothing(
    tmp_path: Path,
) -> None:
    tally = run_campaign(tmp_path, len(FAULTS), seed=3, wanted=FAULTS)
    assert tally.violations == []
    # Each fault struck where it was to strike.
    assert tally.by_step == {
        "broker_kills offsets_sent": 1,
        "broker_restarts offsets_sent": 1,
        "freezes all_sent": 1,
        "freezes fencing": 1,
        "kills half_sent": 1,
        "kills in request": 1,
        "sigterms called": 1,
        "sigterms half_sent": 1,
    }
    assert tally.done["two_at_once"] == 1
    assert tally.done["records"] > 50, "a walk with little to deliver proves little"
