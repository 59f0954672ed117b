"""How many recorded answers a replay judges a second, on a log of its own.

    python -m benchmarks.decide_replay [--triggers N]

The log is made by the decider's own loop step on a market that stands still, and written to Kafka; the replay reads it
from there as `tradetrail replay` does, in this process. Its last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from benchmarks.paper_log import NOW, PaperDecider, PaperLog
from services.decider.replay import run as replaying
from services.decider.replay.asked import Asked
from tradetrail.errors import Fatal, TradetrailError
from tradetrail.events import Event
from tradetrail.events.generated import (
    Direction,
    DisclosureRecorded,
    RecordChange,
    RecordKind,
    RecordReference,
    SymbolDataReady,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import Codec
from tradetrail.log.provision import provision
from tradetrail.log.stamp import Stamp
from tradetrail.process import EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings, SymbolGroup
from tradetrail.stack.local import LocalStack
from tradetrail.telemetry import configure_logging

TRIGGERS = 20_000
# As many as a busy morning names; each gets a trigger again every few days.
_SYMBOLS = 500
_MEMBERS = 40
_STAMP = Stamp("ingestor", "bench")


def replay(kafka: str, registry_url: str, triggers: int = TRIGGERS) -> dict[str, float]:
    """Return ``replayed_per_s``: answers compared a second, reading included.

    Uses topics under a prefix of its own and leaves them there. Raises Fatal when the replay finds a difference.
    """
    shared = SharedSettings(
        kafka=kafka,
        registry_url=registry_url,
        topic_prefix=f"bench{uuid4().hex[:8]}.",
        symbol_groups=(SymbolGroup(name="default", patterns=("*",), partitions=1),),
        instance="bench",
        log_level="warning",
    )
    provision(shared, Codec(registry_url))
    log = PaperLog(partitions=1, topic=f"{shared.topic_prefix}default")
    decider = PaperDecider(log)
    for number in range(triggers):
        log.publish(_run(number))
    decider.decide()
    log.copy_to(shared)
    del log, decider
    started = time.perf_counter()
    report = replaying.replay(shared, Asked())
    took_s = time.perf_counter() - started
    if report["differences"] or report["answers_compared"] != triggers:
        raise Fatal(f"a replay of the benchmark's own log does not come out the same: {report}")
    return {"replayed_per_s": round(triggers / took_s, 1)}


def _run(number: int) -> Iterator[Event]:
    """Yield two members' purchases of one symbol and the trigger; five hundred symbols a day."""
    symbol, day = f"S{number % _SYMBOLS}", number // _SYMBOLS
    at, run_id = NOW + timedelta(days=day), f"run-{day}"
    references = []
    for seat in range(2):
        record_id = str(derive_id("bench-record", number, seat))
        event_id = str(derive_id("bench-disclosure", number, seat))
        references.append(RecordReference(record_id=record_id, version=1, event_id=event_id))
        yield DisclosureRecorded(
            event_id=event_id,
            **_STAMP.envelope(at),
            symbol=symbol,
            story_id=run_id,
            record_id=record_id,
            version=1,
            change=RecordChange.CREATED,
            content_hash="0",
            kind=RecordKind.CONGRESS,
            run_id=run_id,
            api_call_id=run_id,
            row_number=seat,
            person_name=f"member-{(number * 7 + seat) % _MEMBERS}",
            ticker_text=symbol,
            transaction_type="Purchase",
            direction=Direction.BUY,
            transacted_on=at.date() - timedelta(days=10),
            reported_on=at.date() - timedelta(days=1),
            amount_usd_min=Decimal(1_001 if number % 3 else 15_001),
            source_fields="{}",
        )
    yield SymbolDataReady(
        event_id=str(derive_id("bench-ready", number)),
        **_STAMP.envelope(at),
        symbol=symbol,
        story_id=run_id,
        run_id=run_id,
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        completed_at=at,
        records_fetched=2,
        records=tuple(references),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on servers of its own and print the figure; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decide_replay", description=__doc__)
    parser.add_argument("--triggers", type=int, default=TRIGGERS, metavar="N", help="log size")
    options = parser.parse_args(arguments)
    try:
        configure_logging(SharedSettings(log_level="warning"))
        with tempfile.TemporaryDirectory() as home:
            with LocalStack(home, parts=("kafka", "registry")) as stack:
                addresses = stack.addresses
                figures = replay(addresses.kafka, addresses.registry_url, options.triggers)
    except TradetrailError as error:
        sys.stderr.write(f"{error}\n")
        return exit_code_of(error)
    print(json.dumps(figures))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
