"""A correction that moves a record from one symbol to another: the old one is told, and forgets it from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.decider.views.view import Trigger, View
from services.ingestor.known.ledger import Ledger, identity_of, known_of
from services.ingestor.recording.counts import record_counts
from services.ingestor.recording.delivery import Delivery, RunFacts
from services.ingestor.rows.records import FetchedRow, congress_records
from services.ingestor.tasks import TASKS
from tests.contract.quiver_server import congress_row
from tests.unit.decider_views import empty_state, place
from tests.unit.decider_views import trigger as asked_of
from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    DisclosureRecorded,
    DisclosureWithdrawn,
    SymbolDataReady,
    WithdrawalReason,
)
from tradetrail.log.configuration import Stamp
from tradetrail.log.producer import Outgoing
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

TOPICS = Topics.of(SharedSettings())
NOW = datetime(2024, 3, 8, 12, tzinfo=UTC)
STRATEGY = "CongressionalTradingStrategy"


class Runs:
    """One run after another over the rows a vendor shows; what each would deliver."""

    def __init__(self) -> None:
        self._ledger = Ledger("quiverquant_congress")
        self._number = 0

    def deliver(self, *changes: dict[str, Any]) -> list[Outgoing]:
        self._number += 1
        rows = [congress_row("2024-03-05", **change).fields for change in changes]
        records = congress_records([FetchedRow("call", n, row) for n, row in enumerate(rows)])
        verdicts = self._ledger.judge(records, date(2024, 3, 1), date(2024, 3, 8))
        for verdict in verdicts:
            record = verdict.record
            known = known_of(
                verdict.record_id,
                verdict.version,
                record.content_hash,
                identity_of(record),
                record.symbol,
            )
            self._ledger.take(known)
        cause = Cause(topic="runs", partition=0, offset=1, event_id="call")
        facts = RunFacts(
            run_id=f"run-{self._number}",
            task=TASKS["data_fetch:congress_daily"],
            started_at=NOW,
            start=date(2024, 3, 1),
            end=date(2024, 3, 8),
            completed_at=NOW,
            causes={"call": cause},
            last_cause=cause,
        )
        delivery = Delivery(TOPICS, Stamp("ingestor", "test"), facts)
        return delivery.records(verdicts, record_counts(verdicts, len(rows)))


def told(outputs: Sequence[Outgoing], symbol: str) -> list[Event]:
    topic = TOPICS.for_symbol(symbol)
    return [o.event for o in outputs if o.event and (o.topic, o.key) == (topic, symbol)]


def kinds(outputs: Sequence[Outgoing], symbol: str) -> list[str]:
    return [type(event).__name__ for event in told(outputs, symbol)]


def withdrawals(outputs: Sequence[Outgoing]) -> list[DisclosureWithdrawn]:
    return [o.event for o in outputs if isinstance(o.event, DisclosureWithdrawn)]


def test_a_corrected_ticker_is_told_to_the_symbol_it_leaves() -> None:
    runs = Runs()
    runs.deliver({"Ticker": "AAPL"})
    moved = runs.deliver({"Ticker": "AAP"})
    (withdrawn,) = withdrawals(moved)
    assert kinds(moved, "AAPL") == ["DisclosureWithdrawn"]
    assert kinds(moved, "AAP") == ["DisclosureRecorded", "SymbolDataReady"]
    (recorded, _) = told(moved, "AAP")
    assert isinstance(recorded, DisclosureRecorded)
    assert (withdrawn.record_id, withdrawn.version) == (recorded.record_id, recorded.version)
    assert (withdrawn.symbol, withdrawn.moved_to_symbol) == ("AAPL", "AAP")
    assert withdrawn.reason is WithdrawalReason.MOVED
    assert withdrawals(runs.deliver({"Ticker": "AAP"})) == []


def test_the_old_symbol_hears_of_it_before_its_own_new_records_are_ready() -> None:
    runs = Runs()
    runs.deliver({"Ticker": "AAPL"})
    other = {"Ticker": "AAPL", "Representative": "Zoe Other", "BioGuideID": "E990002"}
    moved = runs.deliver({"Ticker": "AAP"}, other)
    assert sorted(kinds(moved, "AAPL")[:2]) == ["DisclosureRecorded", "DisclosureWithdrawn"]
    assert kinds(moved, "AAPL")[2:] == ["SymbolDataReady"]


@pytest.mark.parametrize("ticker", ["--", "AAPL, MSFT"])
def test_a_ticker_that_turns_out_to_be_none_is_told_too(ticker: str) -> None:
    runs = Runs()
    runs.deliver({"Ticker": "AAPL"})
    moved = runs.deliver({"Ticker": ticker})
    (withdrawn,) = withdrawals(moved)
    assert (withdrawn.symbol, withdrawn.moved_to_symbol) == ("AAPL", None)


def test_a_record_that_had_no_symbol_leaves_none() -> None:
    runs = Runs()
    runs.deliver({"Ticker": "--"})
    moved = runs.deliver({"Ticker": "AAP"})
    assert withdrawals(moved) == []
    assert kinds(moved, "AAP") == ["DisclosureRecorded", "SymbolDataReady"]


def test_another_correction_and_another_spelling_move_nothing() -> None:
    runs = Runs()
    runs.deliver({"Ticker": "BRK-B"})
    assert withdrawals(runs.deliver({"Ticker": "BRK-B", "Amount": "15001.0"})) == []
    assert withdrawals(runs.deliver({"Ticker": "BRK.B", "Amount": "15001.0"})) == []


def test_the_same_correction_makes_the_same_event_whichever_run_tells_it() -> None:
    ids = set()
    for tries in (0, 3):
        runs = Runs()
        runs.deliver({"Ticker": "AAPL"})
        for _ in range(tries):
            runs.deliver({"Ticker": "AAPL"})
        ids.add(withdrawals(runs.deliver({"Ticker": "AAP"}))[0].event_id)
    assert len(ids) == 1


class Partition:
    """A symbol's state, folded from what runs deliver to it."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.state = empty_state()
        self.triggers: list[Trigger] = []
        self._offset = 0

    def take(self, outputs: Sequence[Outgoing]) -> list[tuple[str, int]]:
        for event in told(outputs, self.symbol):
            self._offset += 1
            place = Cause(topic="t", partition=0, offset=self._offset, event_id=str(event.event_id))
            trigger = self.state.fold(event, place)
            assert (trigger is not None) is isinstance(event, SymbolDataReady)
            self.triggers += [trigger] if trigger else []
        return self.seen()

    def view(self) -> View:
        """Return what could be seen if something were asked now."""
        return self.state.view(STRATEGY, replace(asked_of(), place=place(self._offset + 1)))

    def seen(self) -> list[tuple[str, int]]:
        return [(d.record_id, d.version) for d in self.view().disclosures]


def test_a_view_holds_the_record_until_it_is_withdrawn_and_again_when_it_comes_back() -> None:
    runs, apple, advance = Runs(), Partition("AAPL"), Partition("AAP")
    first = runs.deliver({"Ticker": "AAPL"})
    ((record_id, _),) = apple.take(first)
    earlier = apple.view()
    moved = runs.deliver({"Ticker": "AAP"})
    assert apple.take(moved) == []
    assert advance.take(moved) == [(record_id, 2)]
    # What was known at an earlier offset stays what it was.
    assert [d.version for d in earlier.disclosures] == [1]
    assert apple.take(first) == [], "a version from before the withdrawal does not bring it back"
    back = runs.deliver({"Ticker": "AAPL"})
    assert apple.take(back) == [(record_id, 3)]
    assert advance.take(back) == []
    # Only where version 1 stands can be known whether the record set off a trade.
    assert [(t.record_ids, t.stale) for t in apple.triggers] == [((record_id,), ())] * 3
    assert [(t.record_ids, t.stale) for t in advance.triggers] == [((), (record_id,))]
    assert "1 came here from another ticker" in advance.triggers[0].stale_text
