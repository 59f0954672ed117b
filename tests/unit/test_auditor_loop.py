"""The auditor takes the next batch while one is written, and never writes what went on from a batch that failed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from services.auditor.entry import Entry, NotStorable
from services.auditor.progress import Progress
from services.auditor.reading.decoder import Decoder
from services.auditor.service import Auditor
from services.auditor.settings import AuditorSettings
from services.auditor.writing.store import Batch, LostRace
from tradetrail.errors import Retryable
from tradetrail.events.generated import DeadLetterReason
from tradetrail.log.codec import BadEvent
from tradetrail.log.reader import Place, Received

PLACE: Place = ("t", 0)
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Source:
    """One partition of ten tombstones, given out in batches of what was asked."""

    def __init__(self) -> None:
        self.positions = {PLACE: 0}
        self.at = 0
        self.returns = 0
        self.given_away = False

    def poll(self, count: int, *_: object) -> tuple[list[Received], dict[Place, int]]:
        offsets = range(self.at, min(self.at + count, 10))
        self.at = offsets.stop
        return [Received(*PLACE, n, b"k", None, AT) for n in offsets], {PLACE: self.at}

    def holds(self, place: Place) -> bool:
        return not self.given_away and place in self.positions

    def advance(self, ends: dict[Place, int]) -> None:
        self.positions.update(ends)

    def reposition(self) -> None:
        self.returns += 1
        self.at = self.positions[PLACE]

    def keep_alive(self) -> None:
        pass

    pause = resume = keep_alive


class Store:
    """Takes batches; what is told beforehand goes wrong, once each."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.written: list[tuple[int, int, list[int]]] = []
        self.refused: list[int] = []

    def write(self, batch: Batch, _schemas: object) -> None:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        if not batch.ends:
            return
        self.refused += [e.message.offset for e in batch.entries if e.bad is not None]
        offsets = [entry.message.offset for entry in batch.entries]
        self.written.append((batch.starts[PLACE], batch.ends[PLACE], offsets))

    def culprits(self, entries: list[Entry]) -> list[tuple[Entry, str]]:
        return [(entries[0], "too long")]


class Quarantine:
    """Remembers whose letters were published."""

    def __init__(self) -> None:
        self.published: list[int] = []

    def publish(self, entries: Iterable[Entry]) -> None:
        self.published += [entry.message.offset for entry in entries]


class Refusing:
    """A decoder that finds one entry bad."""

    def __init__(self) -> None:
        self.schemas: dict[int, tuple[str, str]] = {}

    def read(self, entry: Entry) -> None:
        if entry.message.offset == 5:
            entry.bad = BadEvent(DeadLetterReason.NO_BODY, "no body")


def auditor_of(
    source: Source, store: Store, quarantine: Quarantine, decoder: Any = None
) -> Auditor:
    return Auditor(
        AuditorSettings(batch_events_max=4),
        decoder or Decoder(cast(Any, None), frozenset("t")),
        cast(Any, source),
        cast(Any, store),
        cast(Any, quarantine),
        Progress(),
        threading.Event(),
    )


def finish(auditor: Auditor, source: Source) -> None:
    for _ in range(20):
        if source.positions[PLACE] == 10:
            return
        auditor.step()
    raise AssertionError(source.positions)


def test_each_batch_goes_on_where_the_one_being_written_ends() -> None:
    source, store = Source(), Store()
    auditor = auditor_of(source, store, Quarantine())
    auditor.step()
    # Full: it is heard of when the next one has been taken.
    assert source.positions == {PLACE: 0}
    finish(auditor, source)
    assert store.written == [(0, 4, [0, 1, 2, 3]), (4, 8, [4, 5, 6, 7]), (8, 10, [8, 9])]


def test_what_went_on_from_a_lost_batch_is_read_again() -> None:
    source, store = Source(), Store(LostRace("elsewhere"))
    finish(auditor_of(source, store, Quarantine()), source)
    assert source.returns == 1
    assert [batch[:2] for batch in store.written] == [(0, 4), (4, 8), (8, 10)]


def test_a_batch_that_failed_is_written_before_the_one_that_waits() -> None:
    source, store = Source(), Store(Retryable("away"), Retryable("away"))
    finish(auditor_of(source, store, Quarantine()), source)
    assert [batch[:2] for batch in store.written] == [(0, 4), (4, 8), (8, 10)]


def test_what_does_not_fit_is_refused_in_its_turn() -> None:
    source, store, quarantine = Source(), Store(None, NotStorable("too long")), Quarantine()
    finish(auditor_of(source, store, quarantine), source)
    assert [batch[2] for batch in store.written] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert store.refused == quarantine.published == [4]


def test_a_letter_is_published_once_though_its_batch_is_written_again() -> None:
    source, store, quarantine = Source(), Store(None, Retryable("away")), Quarantine()
    finish(auditor_of(source, store, quarantine, Refusing()), source)
    assert quarantine.published == [5]
    assert store.refused == [5]


def test_a_partition_that_was_given_away_leaves_the_batch() -> None:
    source, store = Source(), Store()
    auditor = auditor_of(source, store, Quarantine())
    auditor.step()
    source.given_away = True
    auditor.step()
    assert store.written[0] == (0, 4, [0, 1, 2, 3])
    assert len(store.written) == 1
