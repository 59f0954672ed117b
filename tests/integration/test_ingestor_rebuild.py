"""The state topic made again from the records of the log: equal to the original, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.ingestor.entry import main
from services.ingestor.rebuild import Difference, rebuild_state
from services.ingestor.recording.lock import AlreadyRunning, SourceLock
from tests.contract.quiver_server import (
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    insider_row,
    quiver,
)
from tests.integration.ingestor_harness import (
    CONGRESS,
    INSIDER,
    PROCESS_TIMEOUT_S,
    Ingestor,
    ingestor,
)
from tradetrail.events.generated import RecordKept
from tradetrail.log.kafka import open_producer
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

# Equal rows, rows without a symbol, text that JSON escapes, a half surrogate, a wrong type.
ROWS = [
    congress_row("2024-03-05"),
    congress_row("2024-03-05"),
    congress_row("2024-03-05"),
    congress_row("2024-03-05", Ticker="BRK-B", Description='a "person": quoted \\ and \u2028'),
    congress_row("2024-03-06", Ticker="--", Description="half \ud83d", TickerType="GS"),
    congress_row("2024-03-06", Ticker="ZZZ", BioGuideID="S000001", Amount=1001),
    congress_row("2024-03-06", Ticker="MOV", BioGuideID="S000002", House="Senate"),
]
INSIDERS = [
    insider_row("2024-03-06T21:44:37.000"),
    insider_row("2024-03-06T21:44:37.000"),
    insider_row("2024-03-05T08:00:00.000", Shares=0.1, PricePerShare=None),
]


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--rebuild-state", "--once", CONGRESS]])
def test_what_the_command_does_not_take_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "--rebuild-state" in capsys.readouterr().err


@pytest.fixture
def here(log: SharedSettings) -> Iterator[Ingestor]:
    world = SmallWorld(list(ROWS), list(INSIDERS), [committee_snapshot("2024-01-01")])
    with quiver(world, "2024-03-08T12:00:00Z") as client, ingestor(log, client) as made:
        yield made


def correct_and_run(here: Ingestor) -> None:
    """Take every row, then a correction of an amount and one that moves a record to another symbol."""
    assert here.run(CONGRESS).error is None
    assert here.run(INSIDER).error is None
    change(here.client, "ZZZ", Range="$15,001 - $50,000")
    change(here.client, "MOV", Ticker="AAPL")
    here.client.control(now="2024-03-09T12:00:00Z")
    second = here.run(CONGRESS).counts
    assert second is not None
    assert (second.created, second.updated) == (0, 2)


def change(client: Client, ticker: str, **fields: str) -> None:
    answer = client.control(amend={"match": {"Ticker": ticker}, "set": fields})
    assert answer.json()["rows_changed"] == 1


def command(here: Ingestor, *arguments: str) -> tuple[int, str]:
    """Run the ingestor as a process; return its exit code and stdout."""
    with here.start(*arguments) as process:
        try:
            out, _ = process.communicate(timeout=PROCESS_TIMEOUT_S)
        finally:
            process.kill()
    return process.returncode, out


def state(log: SharedSettings) -> dict[bytes | None, bytes]:
    """Return the newest value of each key of the state topic, exact bytes; deleted keys are left out."""
    newest = {m.key: m.value for m in read_all(log, [Topics.of(log).ingestor_state])}
    return {key: value for key, value in newest.items() if value is not None}


def spoil(here: Ingestor) -> None:
    """Delete one entry, spoil two, and add one that no record has."""
    topic = Topics.of(here.log).ingestor_state
    lost, changed, broken, *_ = here.events(RecordKept)
    producer = EventProducer(here.log, here.parts.codec)
    producer.send(
        [
            Outgoing(topic, lost.record_id, None),
            Outgoing(topic, changed.record_id, replace(changed, content_hash="0" * 64)),
            Outgoing(topic, "nobody", replace(changed, record_id="nobody")),
        ]
    )
    garbage = open_producer(here.log)
    garbage.produce(topic, key=broken.record_id.encode(), value=b"no event")
    garbage.flush(10)


def test_a_state_that_runs_wrote_differs_in_nothing(here: Ingestor) -> None:
    correct_and_run(here)
    before = here.messages()
    assert rebuild_state(here.parts, dry_run=False) == Difference(records=len(ROWS + INSIDERS))
    assert len(here.messages()) == len(before)


def test_what_differs_is_told_and_then_mended_byte_for_byte(here: Ingestor) -> None:
    correct_and_run(here)
    original = state(here.log)
    spoil(here)
    spoilt = state(here.log)
    difference = Difference(records=10, missing=1, wrong=2, superfluous=1)
    code, out = command(here, "--rebuild-state", "--dry-run")
    assert (code, out.strip()) == (1, str(difference))
    assert state(here.log) == spoilt
    assert rebuild_state(here.parts, dry_run=False) == difference
    assert state(here.log) == original
    assert rebuild_state(here.parts, dry_run=True).total == 0
    with ingestor(here.log, here.client) as other:
        counts = other.run(CONGRESS).counts
    assert counts is not None
    assert (counts.created, counts.updated, counts.skipped) == (0, 0, len(ROWS))


def test_a_whole_state_is_made_from_nothing(here: Ingestor) -> None:
    correct_and_run(here)
    original = state(here.log)
    topic = Topics.of(here.log).ingestor_state
    producer = EventProducer(here.log, here.parts.codec)
    producer.send([Outgoing(topic, (key or b"").decode(), None) for key in original])
    assert state(here.log) == {}
    assert rebuild_state(here.parts, dry_run=False).missing == len(original)
    assert state(here.log) == original


def test_no_entry_is_deleted_while_an_event_of_the_log_is_unreadable(here: Ingestor) -> None:
    correct_and_run(here)
    spoil(here)
    garbage = open_producer(here.log)
    garbage.produce(Topics.of(here.log).trade()[0], key=b"AAPL", value=b"no event")
    garbage.flush(10)
    found = rebuild_state(here.parts, dry_run=False)
    assert (found.superfluous, found.unreadable) == (0, 1)
    assert b"nobody" in state(here.log)
    assert rebuild_state(here.parts, dry_run=True).total == 0


def test_nothing_is_rebuilt_while_a_run_is_under_way(log: SharedSettings) -> None:
    world = SmallWorld(list(ROWS), [], [committee_snapshot("2024-01-01")])
    with (
        quiver(world, "2024-03-08T12:00:00Z") as client,
        ingestor(log, client, lock_wait_s=1.0) as made,
        SourceLock(log, Topics.of(log), "quiverquant_insider", 10.0),
        pytest.raises(AlreadyRunning),
    ):
        rebuild_state(made.parts, dry_run=True)
