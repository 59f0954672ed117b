"""The rules of a verification: windows, the state file, what is judged when the log no longer has an event."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.auditor.verify.asked import Window, bound_of
from services.auditor.verify.entry import main
from services.auditor.verify.events import Comparison, Partition, Tally
from services.auditor.verify.findings import MEANINGS, Code, Finding
from services.auditor.verify.state import Progressed, StateFile
from services.auditor.verify.stored import StoredEvent
from tradetrail.errors import UsageError
from tradetrail.log.codec import Codec
from tradetrail.log.event_hash import event_hash
from tradetrail.log.reader import Received

PAGE = Path(__file__).parents[2] / "docs" / "verify.md"
PLACE = ("t.x", 0)
AT = datetime(2020, 3, 5, 12, 0, tzinfo=UTC)


def logged(offset: int, value: bytes = b"garbage") -> Received:
    """Return an unreadable event: no registry is asked for it."""
    return Received(*PLACE, offset, b"key", value, AT)


def stored(offset: int, value: bytes = b"garbage", **other: Any) -> StoredEvent:
    """Return its row."""
    fields: dict[str, Any] = {
        "month": date(2020, 3, 1),
        "offset": offset,
        "available_at": AT,
        "hash": event_hash(logged(offset, value)),
        "key": b"key",
        "value": value,
        **dict.fromkeys(("type", "symbol", "event_id", "occurred_at", "story_id", "schema_id")),
    }
    return StoredEvent(**(fields | other))


def compared(
    log: list[Received],
    rows: list[StoredEvent],
    low: int = 0,
    compacted: bool = False,
    low_now: int = 0,
) -> tuple[list[Finding], Tally]:
    """Compare one partition."""
    found: list[Finding] = []
    with_codec = Comparison(
        Codec("http://127.0.0.1:1"), (), found.append, lambda *_: False, lambda _: low_now
    )
    tally = Tally()
    list(with_codec.walk(Partition(PLACE, low, compacted), iter(log), iter(rows), tally))
    return found, tally


def test_gaps_of_the_log_are_no_difference() -> None:
    found, tally = compared([logged(3), logged(9)], [stored(3), stored(9)])
    assert (found, tally.compared, tally.good_to) == ([], 2, 10)


def test_good_is_only_what_lies_before_the_first_difference() -> None:
    found, tally = compared([logged(n) for n in range(5)], [stored(n) for n in (0, 1, 3, 4)])
    assert [(each.code, each.offset) for each in found] == [(Code.EVENT_MISSING, 2)]
    assert tally.good_to == 2


@pytest.mark.parametrize("compacted", [False, True])
def test_what_the_log_has_no_more_is_held_against_its_own_hash(compacted: bool) -> None:
    rows = [stored(1), stored(2, hash=b"?"), stored(3, month=date(1990, 1, 1)), stored(7)]
    low = 0 if compacted else 7
    found, tally = compared([logged(7)], rows, low=low, compacted=compacted)
    assert [(each.code, each.offset) for each in found] == [
        (Code.HASH_WRONG, 2),
        (Code.EVENT_ALTERED, 3),
    ]
    gone = (tally.below_log_start, tally.compacted_away)
    assert gone == ((0, 3) if compacted else (3, 0))


def test_what_retention_takes_away_while_it_is_compared_is_not_extra() -> None:
    found, tally = compared([logged(7)], [stored(1), stored(7)], low=0, low_now=7)
    assert (found, tally.below_log_start) == ([], 1)
    found, _ = compared([logged(7)], [stored(1), stored(7)], low=0, low_now=1)
    assert [each.code for each in found] == [Code.EVENT_EXTRA]


def test_a_row_twice_is_extra_once() -> None:
    found, _ = compared([logged(1), logged(2)], [stored(1), stored(1), stored(2)])
    assert [(each.code, each.offset) for each in found] == [(Code.EVENT_EXTRA, 1)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--partition", "0"], "--topic"),
        (["--from", "7"], "--topic"),
        (["--from", "yesterday"], "neither an offset nor a day"),
        (["--topic", "t", "--from", "7", "--to", "2020-01-01"], "both"),
        (["--topic", "t", "--from", "7", "--to", "6"], "swap"),
        (["--from", "2020-02-01", "--to", "2020-01-01"], "swap"),
        (["--format", "csv"], "--help"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_before_anyone_is_asked(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_a_window_of_days_ends_with_its_last_day() -> None:
    window = Window(first=bound_of("--from", "2020-02-28"), last=bound_of("--to", "2020-02-29"))
    assert window.since == datetime(2020, 2, 28, tzinfo=UTC)
    assert window.until == datetime(2020, 3, 1, tzinfo=UTC)
    assert not window.is_whole


def test_a_state_is_read_as_it_was_written_and_gone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    file = StateFile(path, {"database": "a"})
    assert file.read() is None
    file.write(Progressed({("t", 1): 7}, 5, "16384"))
    assert StateFile(path, {"database": "a"}).read() == Progressed({("t", 1): 7}, 5, "16384")
    with pytest.raises(UsageError, match="another database"):
        StateFile(path, {"database": "b"}).read()
    file.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{}", '{"version": 1, "identity": {}, "good_to": 7}'])
def test_what_is_no_state_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="remove it"):
        StateFile(path, {}).read()


def test_every_code_is_explained_on_the_page() -> None:
    assert set(MEANINGS) == set(Code)
    page = PAGE.read_text(encoding="utf-8")
    assert [
        f"| `{c}` | {m} |" for c, m in MEANINGS.items() if f"| `{c}` | {m} |\n" not in page
    ] == []


@pytest.fixture(autouse=True)
def same_signals() -> Iterator[None]:
    """Leave the process's signals as they were: the command takes SIGTERM for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)
