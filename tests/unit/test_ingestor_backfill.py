"""A period cut into windows: no gap, no overlap, the same each time; and which windows a command still has to run."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.entry import main
from services.ingestor.known.runbook import CommandRuns
from services.ingestor.parts import Outcome
from services.ingestor.recording.counts import Counts
from services.ingestor.runs.backfill import (
    WINDOWS_MAX,
    Plan,
    check_period,
    plan_of,
    total_of,
    window_days,
    windows_of,
)
from services.ingestor.runs.progress import shown
from services.ingestor.settings import IngestorSettings
from tradetrail.cli.main import run
from tradetrail.errors import UsageError

CONGRESS, INSIDER = "data_fetch:congress_daily", "data_fetch:insider_daily"
FIRST = date(2020, 1, 1)
TODAY = date(2024, 1, 2)
AT = datetime(2024, 1, 2, 12, 0, tzinfo=UTC)


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.integers(0, 5_000), st.integers(1, 5_000))
def test_windows_cover_each_day_once_in_order(start: date, length: int, days: int) -> None:
    end = start + timedelta(days=length)
    windows = windows_of(start, end, days)
    assert windows[0].start == start
    assert windows[-1].end == end
    for before, after in pairwise(windows):
        assert after.start == before.end + timedelta(days=1)
        assert len(before.days()) == days
    assert 1 <= len(windows[-1].days()) <= days
    assert all(window.is_explicit for window in windows)
    assert [window.takes_undated for window in windows] == [True] + [False] * (len(windows) - 1)
    assert windows == windows_of(start, end, days)


def test_a_later_end_changes_the_last_window_only() -> None:
    shorter = windows_of(FIRST, date(2020, 3, 1), 7)
    longer = windows_of(FIRST, date(2020, 3, 20), 7)
    assert longer[: len(shorter) - 1] == shorter[:-1]


def test_a_mistyped_year_is_refused() -> None:
    with pytest.raises(UsageError, match=f"more than {WINDOWS_MAX}"):
        windows_of(date(20, 1, 1), FIRST, 7)


def test_each_task_has_its_own_length() -> None:
    own = IngestorSettings(backfill_congress_days=100, backfill_insider_days=2)
    assert (window_days(own, CONGRESS), window_days(own, INSIDER)) == (100, 2)


WINDOWS = windows_of(FIRST, date(2020, 1, 28), 7)


def missing_of(*counts: int, again: bool = False) -> tuple[tuple[int, ...], datetime | None]:
    """Return what is to be run when the windows' runs completed so often, each an hour after the one before."""
    runs = {
        window: CommandRuns(count, AT + timedelta(hours=place) if count else None)
        for place, (window, count) in enumerate(zip(WINDOWS, counts, strict=True))
    }
    plan = plan_of(WINDOWS, lambda window: runs[window], again=again)
    assert plan.done == len(WINDOWS) - len(plan.missing)
    return plan.missing, plan.since


@pytest.mark.parametrize(
    ("counts", "missing", "since_h"),
    [
        ((0, 0, 0, 0), (0, 1, 2, 3), None),
        ((1, 1, 0, 0), (2, 3), 0),
        ((1, 1, 1, 1), (0, 1, 2, 3), None),
        ((2, 2, 1, 1), (2, 3), 0),
        ((0, 3, 0, 0), (0, 2, 3), 1),
        ((1, 3, 1, 0), (3,), 0),
    ],
)
def test_what_is_missing_is_run_and_all_when_nothing_is(
    counts: tuple[int, ...], missing: tuple[int, ...], since_h: int | None
) -> None:
    since = None if since_h is None else AT + timedelta(hours=since_h)
    assert missing_of(*counts) == (missing, since)
    assert missing_of(*counts, again=True) == ((0, 1, 2, 3), None)


@pytest.mark.parametrize(
    ("task", "start", "end", "said"),
    [
        (CONGRESS, date(2024, 1, 2), date(2024, 1, 1), "is before --from 2024-01-02"),
        (INSIDER, date(2023, 1, 2), date(2024, 1, 3), "write --to 2024-01-02"),
        ("data_fetch:committees", FIRST, FIRST, "takes no period"),
        ("maintenance:daily", FIRST, FIRST, "takes no period"),
        ("data_fetch:nope", FIRST, FIRST, "the tasks are"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(
    task: str, start: date, end: date, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        check_period(task, start, end, TODAY)


REFUSED = [
    ((CONGRESS, "--from", "2024-03-05"), "--from and --to go together"),
    ((CONGRESS, "--to", "2024-03-05"), "--from and --to go together"),
    ((CONGRESS, "--from", "2024-01-05", "--to", "2024-01-01"), "is before --from"),
    ((CONGRESS, "--from", "5.1.2024", "--to", "2024-01-01"), "'5.1.2024' is no day"),
    ((CONGRESS, "--from", "", "--to", "2024-01-01"), "'' is no day"),
    (("data_fetch:committees", "--from", "2024-01-05", "--to", "2024-01-06"), "takes no period"),
    (("maintenance:daily", "--from", "2024-01-05", "--to", "2024-01-06"), "takes no period"),
    (("data_fetch:nope",), "the tasks are"),
    ((CONGRESS, "--again"), "--again goes with"),
    ((CONGRESS, "--frm", "2024-01-05"), "unrecognized arguments: --frm"),
    ((), "expected one argument"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--once", *arguments]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert line.startswith("tradetrail: ")
    assert said in line
    assert out == ""


def test_the_command_passes_on_what_the_ingestor_says(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ingest", CONGRESS, "--from", "2024-01-05", "--to", "2024-01-01"]) == 2
    assert capfd.readouterr().err == "tradetrail: --to 2024-01-01 is before --from 2024-01-05\n"


def test_today_may_be_asked_for() -> None:
    check_period(CONGRESS, FIRST, TODAY, TODAY)


def test_totals_are_the_sum_of_the_completed_runs() -> None:
    one = Outcome("a", Counts(fetched=5, created=2, updated=1, flagged=1, flags={"x": 1}))
    two = Outcome("b", Counts(fetched=3, created=3, updated=0, flagged=2, flags={"x": 1, "a": 1}))
    total = total_of([one, two, Outcome("c", None, "failed")])
    assert (total.fetched, total.created, total.updated, total.skipped) == (8, 5, 1, 2)
    assert (total.flagged, total.flags) == (3, {"a": 1, "x": 2})


def shown_on(stream: io.StringIO) -> str:
    """Return what is written on ``stream`` while the second of two windows is run, the first being done."""
    plan = Plan(windows_of(FIRST, date(2020, 1, 14), 7), (1,), since=AT)
    outcome = Outcome("a", Counts(fetched=5, created=2, updated=1, flagged=1, flags={}))
    with shown(stream, lambda: "waiting 7 s more: the class is used up") as show:
        show.planned(plan)
        show.began(2, plan.windows[1])
        show.ended(2, plan.windows[1], outcome, total_of([outcome]))
    return stream.getvalue()


def test_off_a_terminal_each_window_is_a_line() -> None:
    assert shown_on(io.StringIO()) == (
        "continuing: 1 of 2 windows are done since 2024-01-02 12:00 UTC; --again runs all\n"
        "window 2 of 2, 2020-01-08 to 2020-01-14: 5 fetched, 2 created, 1 updated, 2 skipped, 1 flagged\n"
    )


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_tells_windows_rows_and_what_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    written = shown_on(Terminal())
    assert "\ncontinuing: 1 of 2" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "\n", written)
    assert "2020-01-08 to 2020-01-14" in written
    assert "2/2" in written
    assert "5 rows" in written
    assert "waiting 7 s more" in written
    assert "window 2 of 2" not in written
