"""What a round of the auditor's campaign finds in its log: stories whose rows meet over partitions, and poison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from tests import auditor_story as story
from tradetrail.events import Event

SYMBOLS = ("AAPL", "MSFT", "TSLA", "IBM", "GE", "F", "T", "KO", "XOM", "PFE")
# A dozen of them for all symbols: their rows are written from every partition.
PEOPLE = tuple((f"P{n:06}", f"Member {n}") for n in range(12))
RECORDS_A_LOT = 110
# About what a real row says in its source fields; also lets tables grow past what a full disk leaves.
_SOURCE_BYTES = 900
POISON: tuple[bytes | None, ...] = (None, b"", b"garbage", b"\x00\xff\xff\xff\xffabc")


@dataclass(frozen=True, slots=True)
class Placed:
    """An event, or ``raw`` as it is, and where it goes: the topic without prefix, and the key."""

    topic: str
    key: str
    event: Event | None = None
    raw: bytes | None = None
    is_poison: bool = False


def lot(seed: str, number: int) -> list[Placed]:
    """Return the next few hundred events; the same for the same seed and number."""
    chance = Random(f"{seed}:{number}")
    run = f"run-{seed}-{number}"
    stories = [_disclosed(chance, run), _of_run(run), _around(chance, run), *_decided(chance, run)]
    found: list[Placed] = []
    # Each story in its own order, all of them mixed: children come before parents, and the other way round.
    weights = [len(each) for each in stories]
    for which in chance.sample([n for n, w in enumerate(weights) for _ in range(w)], sum(weights)):
        found.append(stories[which].pop(0))
    return found


def _group(symbol: str) -> str:
    return "megacap" if symbol in ("AAPL", "MSFT", "TSLA") else "default"


def _disclosed(chance: Random, run: str) -> list[Placed]:
    found = []
    for n in range(RECORDS_A_LOT):
        symbol, name = chance.choice(SYMBOLS), f"{run}-{n}"
        padding = "".join(chance.choices("abcdefghij0123456789", k=_SOURCE_BYTES))
        fields: dict[str, Any] = {"source_fields": f'{{"Ticker": "{symbol}", "Note": "{padding}"}}'}
        if chance.random() < 0.2:
            made = story.insider(name, symbol, run=run, **fields)
        else:
            person, called = chance.choice(PEOPLE)
            version = 2 if chance.random() < 0.1 else 1
            made = story.disclosure(
                name,
                symbol,
                version=version,
                run=run,
                person=called,
                person_id=person,
                party=chance.choice(("D", "R")),
                transacted_on=date(2020, 1, 1) + timedelta(days=chance.randint(0, 50)),
                **fields,
            )
        found.append(Placed(_group(symbol), symbol, made))
    return found


def _decided(chance: Random, run: str) -> Iterator[list[Placed]]:
    for n in range(12):
        symbol = chance.choice(SYMBOLS)
        records = {f"{run}-{chance.randrange(RECORDS_A_LOT)}" for _ in range(3)}
        made = story.filled_decision(f"{run}-d{n}", symbol, sorted(records))
        events = [*made, story.declined(f"{run}-n{n}", symbol)]
        yield [Placed(_group(symbol), symbol, event) for event in events]


def _of_run(run: str) -> list[Placed]:
    record = story.an_id("record", f"{run}-0")
    events = (story.run_started(run), story.api_call(run), story.run_completed(run, [record]))
    return [Placed("runs", "congress", event) for event in events]


def _around(chance: Random, run: str) -> list[Placed]:
    act = story.operator_act(run)
    symbols = chance.choices(SYMBOLS, k=3)
    # The database refuses a zero byte in a text: found only when the batch is written.
    refused = story.disclosure(f"{run}-nul", symbols[0], run=run, person="Zero\x00Byte")
    return [
        *(Placed("reference", p, story.seat(p, name)) for p, name in chance.sample(PEOPLE, 4)),
        Placed("control", "halt", act),
        Placed("account", "paper", story.operator_answer(act)),
        Placed("control", "decider", story.configuration()),
        # A deletion in a compacted topic is no poison.
        Placed("ingestor-state", f"record-{run}"),
        Placed(_group(symbols[0]), symbols[0], refused, is_poison=True),
        *(
            Placed(_group(symbol), symbol, raw=raw, is_poison=True)
            for symbol, raw in zip(symbols[1:], chance.sample(POISON, 2), strict=True)
        ),
    ]


def far_back(chance: Random, count: int) -> list[datetime]:
    """Return instants, UTC, in about so many months, some of them long before there was Kafka."""
    first, last = datetime(1971, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    span_s = int((last - first).total_seconds())
    return [first + timedelta(seconds=chance.randrange(span_s)) for _ in range(count)]
