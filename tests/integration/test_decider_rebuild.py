"""A decider's start on a real log: it reads the look-back only, and sees what one that never stopped sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.decider.views.memory import Memory
from services.decider.views.symbol_state import CLOCK_MARGIN
from services.decider.views.view import Trigger, View
from tests.integration.disclosed import Row, run_events
from tradetrail.events import Event
from tradetrail.events.generated import ApiCallRecorded, DisclosureRecorded
from tradetrail.log import window_start
from tradetrail.log.codec import Codec
from tradetrail.log.entry import read_entry
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import Place, Received, end_offsets, read_all
from tradetrail.log.topics import Topics
from tradetrail.log.window_start import window_starts
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack
STRATEGY = "CongressionalTradingStrategy"
LOOKBACK_DAYS = 100
BEGIN = datetime(2016, 1, 4, 12, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT", "NVDA", "XOM", "JPM", "PFE", "KO", "BRK.B")
MORNINGS = 40


def history() -> list[Event]:
    """Return some years: each symbol now and then, records amended, a year of silence before the last months."""
    events: list[Event] = []
    for number in range(MORNINGS):
        day = number * 20 + (365 if number >= MORNINGS - 8 else 0)
        for position, symbol in enumerate(SYMBOLS):
            if (number + position) % 3 == 0:
                continue
            # Clocks differ by hours.
            at = BEGIN + timedelta(days=day, hours=-(number * 5 + position * 3) % 11)
            rows = [
                Row(f"Person {number}"),
                Row(f"Person {max(number - 2, 0)}", version=number + 2),
            ]
            events += run_events(symbol, f"run {number}", at, rows)
    return events


def write(log: SharedSettings, events: list[Event]) -> None:
    """Append them with some that can't be read among them."""
    topics, codec = Topics.of(log), Codec(log.registry_url)
    producer = EventProducer(log, codec)
    broken = b"\x00" + codec.register(DisclosureRecorded.TYPE).to_bytes(4, "big") + b"broken"
    of_no_interest = b"\x00" + codec.register(ApiCallRecorded.TYPE).to_bytes(4, "big") + b"broken"
    for start in range(0, len(events), 60):
        part = events[start : start + 60]
        producer.send(
            [Outgoing(topics.for_symbol(e.symbol or ""), e.symbol or "", e) for e in part]
        )
        for symbol, value in (("KO", broken), ("PFE", of_no_interest), ("XOM", b"no event")):
            producer._producer.produce(topics.for_symbol(symbol), key=symbol.encode(), value=value)
        producer._producer.flush(10)


def seen(
    memory: Memory, log: SharedSettings, after: dict[Place, int]
) -> list[tuple[Trigger, View]]:
    """Fold what stands after these offsets, and return each trigger with its view."""
    codec, found = Codec(log.registry_url), []
    for message in whole(log):
        if message.offset >= after[message.place]:
            trigger = memory.fold(read_entry(codec, message))
            if isinstance(trigger, Trigger):
                found.append((trigger, memory.view(message.place, trigger, STRATEGY)))
    return found


def whole(log: SharedSettings) -> list[Received]:
    return sorted(read_all(log, Topics.of(log).trade()), key=lambda m: (m.place, m.offset))


def test_a_start_reads_the_look_back_only_and_sees_what_an_unbroken_run_sees(
    log: SharedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_start, "CLOSE_ENOUGH", 3)
    write(log, history())
    messages, codec = whole(log), Codec(log.registry_url)
    ends = end_offsets(log, {message.place for message in messages})
    unbroken = Memory(log, codec, LOOKBACK_DAYS)
    unbroken.begin(ends)
    told = seen(unbroken, log, dict.fromkeys(ends, 0))
    # A start in the middle of the last months, in each partition elsewhere.
    committed = {place: end - 9 - n for n, (place, end) in enumerate(sorted(ends.items()))}
    starts = window_starts(log, committed, timedelta(days=LOOKBACK_DAYS) + CLOCK_MARGIN)
    for place, offset in committed.items():
        mine = [m for m in messages if m.place == place and m.offset < offset]
        times = {m.offset: at for m in mine if (at := occurred(codec, m)) is not None}
        border = max(times.values()) - timedelta(days=LOOKBACK_DAYS)
        in_reach = min(o for o, at in times.items() if at >= border)
        assert 0 < starts[place] <= in_reach
    restarted = Memory(log, codec, LOOKBACK_DAYS)
    restarted.take(committed)
    again = seen(restarted, log, committed)
    late = [
        (t, v) for t, v in told if t.place.offset >= committed[t.place.topic, t.place.partition]
    ]
    assert again == late
    assert any(view.incomplete for _, view in late)
    assert any(trigger.stale for trigger, _ in late)
    assert any(len(view.disclosures) > 2 for _, view in late)


def occurred(codec: Codec, message: Received) -> datetime | None:
    entry = read_entry(codec, message)
    return entry.decoded.event.occurred_at if entry.decoded else None


def test_a_partition_without_a_committed_offset_begins_empty(log: SharedSettings) -> None:
    write(log, history()[:5])
    memory = Memory(log, Codec(log.registry_url), LOOKBACK_DAYS)
    places = {message.place for message in whole(log)}
    memory.take(dict.fromkeys(places, -1))
    assert memory.symbol_count == 0
