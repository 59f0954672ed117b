"""How long unaudited events have waited, as /health tells it."""

from __future__ import annotations

from services.auditor.progress import Progress
from tests.eventually import eventually

PLACE = ("trade", 0)


def test_the_lag_has_an_age_as_soon_as_something_waits() -> None:
    progress = Progress()
    progress.hold({PLACE: 5})
    assert progress.standing().report(60)[0]
    # Read, and then the database says nothing any more: no later step tells that it hangs.
    progress.saw_end(PLACE, 6)
    first = eventually(lambda: progress.standing().lag_age_s)
    eventually(lambda: progress.standing().lag_age_s, lambda age: age > first)
    assert not progress.standing().report(0)[0]
    progress.hold({PLACE: 6})
    assert progress.standing().lag_age_s == 0


def test_ends_that_are_reached_or_of_others_are_no_lag() -> None:
    progress = Progress()
    progress.hold({PLACE: 5})
    progress.saw_end(PLACE, 5)
    progress.saw_end(("trade", 1), 9)
    assert progress.standing().report(0)[0]
