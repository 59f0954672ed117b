"""The campaign's checks find what they are for: a log is doctored, and each time they say so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from typing import Any, TypeVar

import pytest

from tests.faults.ingestor_checks import (
    Claim,
    broken_claims,
    differences,
    lost_or_invented,
    newest_contents,
    violations_of,
)
from tests.faults.ingestor_vendor import content_of
from tests.faults.made_events import sample_event
from tests.faults.plain_log import Seen
from tradetrail.events import Event
from tradetrail.events.generated import (
    ApiCallRecorded,
    DisclosureRecorded,
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
    RecordChange,
    RecordKept,
    RecordReference,
    SymbolDataReady,
)

SOURCE = "quiverquant_congress"
DAY = date(2024, 3, 5)
_E = TypeVar("_E")
Log = list[Seen]


def made(kind: type[_E], **facts: Any) -> _E:
    """Return a sample event of a type, of our data source, with some facts of our own."""
    if "data_source" in {each.name for each in fields(kind)}:  # type: ignore[arg-type]
        facts["data_source"] = SOURCE
    return sample_event(kind, **facts)


def row(number: int) -> dict[str, Any]:
    return {"Ticker": "AAPL", "ReportDate": "2024-03-05", "Lot": number, "PriceChange": number / 7}


def disclosed(run: str, number: int, version: int = 1, **facts: Any) -> DisclosureRecorded:
    told = {
        "event_id": f"d{number}.{version}",
        "record_id": f"record{number}",
        "version": version,
        "change": RecordChange.CREATED if version == 1 else RecordChange.UPDATED,
        "symbol": "AAPL",
        "run_id": run,
        "instance": run,
        "content_hash": f"hash{number}.{version}",
        "reported_on": DAY,
        "source_fields": json.dumps(row(number + 100 * (version - 1))),
    }
    return made(DisclosureRecorded, **{**told, **facts})


def run_of(run: str, *records: DisclosureRecorded) -> list[tuple[str, Event]]:
    """Return a whole run: its beginning, a call, its records with summary and state, its end."""
    ids = tuple(r.record_id for r in records)
    created = sum(r.version == 1 for r in records)
    named = tuple(
        RecordReference(record_id=r.record_id, version=r.version, event_id=r.event_id)
        for r in records
    )
    facts: dict[str, Any] = {"run_id": run, "instance": run}
    events: list[tuple[str, Event]] = [
        ("runs", made(IngestionRunStarted, event_id=f"s{run}", **facts)),
        ("runs", made(ApiCallRecorded, event_id=f"c{run}", **facts)),
        *(("trade", record) for record in records),
    ]
    if records:
        ready = made(SymbolDataReady, event_id=f"r{run}", symbol="AAPL", records=named, **facts)
        events.append(("trade", ready))
    for r in records:
        kept = made(
            RecordKept,
            event_id=f"k{r.event_id}",
            story_id=run,
            instance=run,
            record_id=r.record_id,
            version=r.version,
        )
        events.append(("state", kept))
    end = made(
        IngestionRunCompleted,
        event_id=f"e{run}",
        records_fetched=len(records),
        records_created=created,
        records_updated=len(records) - created,
        records_skipped=0,
        ingested_record_ids=ids,
        **facts,
    )
    return [*events, ("runs", end)]


def log_of(*events: tuple[str, Event]) -> Log:
    """Return events as they stand in a log, each topic with one partition."""
    offsets: Counter[str] = Counter()
    log = []
    for topic, event in events:
        log.append(Seen(topic, 0, offsets[topic], event))
        offsets[topic] += 1
    return sorted(log, key=lambda seen: (seen.topic, seen.offset))


def whole() -> Log:
    """Return a log in which everything is as it must be: two runs, the second with a new version."""
    first = [disclosed("one", number) for number in range(3)]
    return log_of(*run_of("one", *first), *run_of("two", disclosed("two", 1, 2)))


def without(log: Log, fits: Callable[[Event], bool]) -> Log:
    return [seen for seen in log if not fits(seen.event)]


def changed(log: Log, kind: type[Any], **facts: Any) -> Log:
    """Return the log with the first event of a type altered."""
    place = next(n for n, seen in enumerate(log) if isinstance(seen.event, kind))
    event: Any = replace(log[place].event, **facts)
    return [*log[:place], replace(log[place], event=event), *log[place + 1 :]]


def appended(log: Log, topic: str, event: Event) -> Log:
    end = max((seen.offset for seen in log if seen.topic == topic), default=-1) + 1
    return [*log, Seen(topic, 0, end, event)]


def failed(run: str) -> IngestionRunFailed:
    return made(IngestionRunFailed, event_id=f"f{run}", run_id=run, instance="other")


def test_a_whole_log_is_in_order() -> None:
    assert violations_of(whole()) == []
    assert differences(whole(), whole()) == []


def half_run(log: Log) -> Log:
    return [*without(log, lambda e: e.event_id == "eone"), Seen("runs", 0, 2, failed("one"))]


DOCTORED: dict[str, tuple[Callable[[Log], Log], str]] = {
    "a failed run's records are visible": (half_run, "half a run"),
    "a record is missing": (lambda log: without(log, lambda e: e.event_id == "d2.1"), "created"),
    "a version is there twice": (
        lambda log: appended(log, "trade", disclosed("two", 1, 2, event_id="again")),
        "has the versions [1, 2, 2]",
    ),
    "a version is left out": (
        lambda log: without(log, lambda e: e.event_id in ("d1.1", "kd1.1")),
        "has the versions [2]",
    ),
    "an event is there twice": (
        lambda log: appended(log, "trade", disclosed("two", 1, 2)),
        "2 times",
    ),
    "a run has no end": (lambda log: without(log, lambda e: e.event_id == "etwo"), "has no end"),
    "a run has two ends": (lambda log: appended(log, "runs", failed("two")), "a second time"),
    "a run was never begun": (
        lambda log: without(log, lambda e: e.event_id == "stwo"),
        "not the one under way",
    ),
    "two runs overlap": (
        lambda log: [
            replace(seen, event=made(IngestionRunStarted, run_id="x", event_id="x"))
            if seen.event.event_id == "cone"
            else seen
            for seen in log
        ],
        "under way",
    ),
    "a call stands before its run": (
        lambda log: changed(log, ApiCallRecorded, run_id="two"),
        "outside of its run",
    ),
    "a summary is missing": (
        lambda log: without(log, lambda e: e.event_id == "rtwo"),
        "summary of AAPL",
    ),
    "a summary names a record too few": (
        lambda log: changed(log, SymbolDataReady, records=()),
        "summary of AAPL",
    ),
    "a record is not known any more": (
        lambda log: without(log, lambda e: e.event_id == "kd2.1"),
        "not kept known",
    ),
    "something is known that is not there": (
        lambda log: appended(log, "state", made(RecordKept, event_id="k", story_id="two")),
        "not there",
    ),
    "the end's counts are wrong": (
        lambda log: changed(log, IngestionRunCompleted, records_created=2, records_updated=1),
        "tells of",
    ),
    "the end names other records": (
        lambda log: changed(log, IngestionRunCompleted, ingested_record_ids=("a", "b", "c")),
        "record ids",
    ),
}


@pytest.mark.parametrize("name", DOCTORED)
def test_a_doctored_log_is_a_violation(name: str) -> None:
    doctor, said = DOCTORED[name]
    found = violations_of(doctor(whole()))
    assert any(said in text for text in found), found


def test_another_record_than_in_an_undisturbed_walk_is_told() -> None:
    lost = without(whole(), lambda e: e.event_id == "d2.1")
    assert any("missing" in text for text in differences(lost, whole()))
    assert any("too much" in text for text in differences(whole(), lost))
    other = changed(whole(), SymbolDataReady, event_id="another")
    assert len(differences(other, whole())) == 2


def test_what_the_vendor_serves_and_the_log_lacks_is_lost() -> None:
    served = Counter(content_of(row(number)) for number in (0, 101, 2))
    before = served | Counter(content_of(row(number)) for number in range(3))

    def found(log: Log, served: Counter[str]) -> list[str]:
        return lost_or_invented(SOURCE, newest_contents(log, DAY, DAY)[SOURCE], served, before)

    assert found(whole(), served) == []
    assert found(whole(), served - Counter({content_of(row(2)): 1})) == []
    (lost,) = found(without(whole(), lambda e: e.event_id == "d2.1"), served)
    assert "lost" in lost
    twice = appended(whole(), "trade", disclosed("two", 7, source_fields=json.dumps(row(0))))
    (invented,) = found(twice, served)
    assert "never served" in invented


def test_what_a_disturbed_process_must_have_left_is_looked_for() -> None:
    log = without(whole(), lambda e: e.event_id in ("stwo", "etwo"))
    assert broken_claims(log, [Claim("one", asked=True, says_its_end=True)]) == []
    (never_begun,) = broken_claims(log, [Claim("two", asked=True)])
    assert "not on record" in never_begun
    (woke,) = broken_claims(
        log, [Claim("one", silent_from={("trade", 0): 3, ("runs", 0): 99, ("state", 0): 99})]
    )
    assert "woke and wrote" in woke
    assert not broken_claims(
        log, [Claim("one", silent_from={(t, 0): 99 for t in ("trade", "runs", "state")})]
    )
    left = half_run(whole())
    (text,) = broken_claims(left, [Claim("one", says_its_end=True)])
    assert "open" in text
