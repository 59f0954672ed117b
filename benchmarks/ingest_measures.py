"""What a run costs besides the vendor's time: starting with many known records, memory, the log of the run itself."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from benchmarks.child import measured_apart
from benchmarks.ingest_passes import CONGRESS, INSIDER, ingestor, unpaced
from benchmarks.ingest_vendor import Folder, Vendor
from services.ingestor.known.ledger import identity_of
from services.ingestor.known.memory import Memory
from services.ingestor.parts import Parts, Request, request_of
from services.ingestor.recording.counts import record_counts
from services.ingestor.recording.delivery import Delivery, RunFacts
from services.ingestor.recording.journal import Journal
from services.ingestor.recording.lock import SourceLock
from services.ingestor.rows.records import FetchedRow, congress_records, insider_records
from services.ingestor.runs.run import Runner
from services.ingestor.sources.http import Exchange
from services.ingestor.sources.quiver import Window
from services.ingestor.tasks import TASKS
from tradetrail.errors import Fatal
from tradetrail.events.generated import (
    CallPurpose,
    Cause,
    IngestionRunCompleted,
    RecordKept,
    RunTrigger,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.provision import provision
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

_SEND_MAX = 5_000
_LOADS = 3
# A child that takes longer hangs: a 10,000-row run takes seconds.
_CHILD_TIMEOUT_S = 300.0


def state_load_s(settings: SharedSettings, folder: Folder, count: int) -> tuple[float, float]:
    """Return the seconds in which a new memory knows ``count`` records, and how many events a second were sent.

    The records are the folder's, again and again under other ids. Median of three loads, each with a memory and a
    connection of its own; the events were sent in batches, without transactions.
    """
    codec, topics = Codec(settings.registry_url), Topics.of(settings)
    provision(settings, codec)
    producer = EventProducer(settings, codec)
    entries = _entries(folder, topics, count)
    sending_s = 0.0
    while batch := list(islice(entries, _SEND_MAX)):
        started = time.perf_counter()
        producer.send(batch)
        sending_s += time.perf_counter() - started
    took: list[float] = []
    for _ in range(_LOADS):
        memory = Memory(settings, codec, topics)
        started = time.perf_counter()
        memory.catch_up()
        took.append(time.perf_counter() - started)
        known = sum(len(memory.ledger(TASKS[task].data_source)) for task in (CONGRESS, INSIDER))
        memory.close()
        if known != count:
            raise Fatal(f"the memory knows {known} of {count} records")
    return median(took), count / sending_s


def _entries(folder: Folder, topics: Topics, count: int) -> Iterator[Outgoing]:
    now = folder.instant()
    records = [
        (TASKS[task].data_source, record)
        for task, read, rows in (
            (CONGRESS, congress_records, folder.congress),
            (INSIDER, insider_records, folder.insiders),
        )
        for record in read(FetchedRow("call", number, row) for number, row in enumerate(rows))
    ]
    for number, (source, record) in enumerate(islice(cycle(records), count)):
        record_id = str(derive_id("bench-record", source, number))
        entry = RecordKept(
            event_id=str(derive_id("record-kept", record_id, 1)),
            occurred_at=now,
            service="ingestor",
            service_version="0",
            instance="bench",
            symbol=record.symbol,
            story_id=record_id,
            record_id=record_id,
            version=1,
            content_hash=f"{number:064x}",
            data_source=source,
            identity=identity_of(record),
        )
        yield Outgoing(topics.ingestor_state, record_id, entry)


def peak_rss_mb(settings: SharedSettings, served: Vendor, rows: int) -> float:
    """Return the peak resident memory, MiB, of a process that makes one run of ``rows`` new rows, imports and all."""
    arguments = ["benchmarks.ingest_measures", served.url, served.now.isoformat(), str(rows)]
    told = measured_apart(settings, arguments, f"the run of {rows} rows", _CHILD_TIMEOUT_S)
    return float(told["peak_rss_mb"])


def one_run(settings: SharedSettings, served: Vendor, rows: int) -> None:
    """Make one run of all rows of the vendor. Raises Fatal when it does not create ``rows`` records."""
    with ingestor(settings, served, unpaced()) as parts:
        window = Window(date.min, served.now.date(), is_explicit=True)
        outcome = Runner(parts).run(request_of(CONGRESS, RunTrigger.COMMAND, "bench", window))
    if outcome.counts is None or outcome.counts.created != rows:
        raise Fatal(f"{rows} rows were to be created: {outcome}")


def run_logging_overhead_ms(
    settings: SharedSettings, served: Vendor, rounds: int
) -> dict[str, float]:
    """Return what the log of a run adds to a daily run, milliseconds, and what such a run takes, in all.

    With: ``Runner.run`` of ``data_fetch:congress_daily`` over its default window. Without (``_bare_run``): the same
    lock, fencing, reading of the log, request, rows, judging and delivery of the same records, state entries and
    SymbolDataReady in one transaction, but no event of the run itself: no IngestionRunStarted, no ApiCallRecorded
    (which holds the whole body, compressed), no IngestionRunCompleted. Both in this process, in turn, ``rounds`` times
    after one uncounted each; before each, outside its time, the records are deleted from the state topic, so that all
    are new again. The median of each pair's difference.
    """
    with ingestor(settings, served, unpaced()) as parts:
        request = request_of(CONGRESS, RunTrigger.COMMAND, "bench", None)
        today = served.now.date()
        window = Window(today - timedelta(days=parts.own.window_days), today)
        logged, bare = [], []
        for _ in range(rounds + 1):
            logged.append(_timed_ms(parts, lambda: _logged_run(parts, request)))
            bare.append(_timed_ms(parts, lambda: _bare_run(parts, request, window)))
    del logged[0], bare[0]
    return {
        "run_logging_overhead_ms": median(w - o for w, o in zip(logged, bare, strict=True)),
        "run_ms": median(logged),
    }


def _timed_ms(parts: Parts, run: Callable[[], int]) -> float:
    """Forget every record, catch up with the log, then time one run."""
    memory = parts.memory
    memory.catch_up()
    known = list(memory.ledger(TASKS[CONGRESS].data_source))
    topic = parts.topics.ingestor_state
    EventProducer(parts.settings, parts.codec).send(
        [Outgoing(topic, each.record_id, None) for each in known]
    )
    memory.catch_up()
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1_000


def _logged_run(parts: Parts, request: Request) -> int:
    outcome = Runner(parts).run(request)
    if outcome.counts is None:
        raise Fatal(f"the run failed: {outcome.error}")
    return outcome.counts.created


class _Unrecorded:
    """Takes the calls of a run and tells nobody."""

    def __init__(self, now: datetime) -> None:
        """Begin without a call."""
        self._now = now
        self.causes: dict[str, Cause] = {}

    def now(self) -> datetime:
        """Return the run's instant."""
        return self._now

    def record(
        self,
        exchange: Exchange,
        *,
        requested_at: datetime,
        vendor: str,
        purpose: CallPurpose,
        records_returned: int | None,
        rate_limit_remaining: int | None,
    ) -> str:
        """Name the call, so that records can refer to it."""
        call_id = f"call {len(self.causes)}"
        self.causes[call_id] = Cause(topic="", partition=0, offset=0, event_id=call_id)
        return call_id

    def wait(self, seconds: float) -> None:
        """Refuse: a bench's vendor throttles nobody."""
        raise Fatal("the simulated vendor throttles; its limits should be off")


def _bare_run(parts: Parts, request: Request, window: Window) -> int:
    task, now = request.task, parts.clock.now()
    with SourceLock(parts.settings, parts.topics, task.data_source, parts.own.lock_wait_s) as lock:
        journal = Journal(parts.settings, parts.codec, lock)
        parts.memory.catch_up()
        calls = _Unrecorded(now)
        rows, _ = parts.quiver.congress(calls, window)
        ledger = parts.memory.ledger(task.data_source)
        verdicts = ledger.judge(congress_records(rows), window.start, window.end)
        facts = RunFacts(
            run_id="bare",
            task=task,
            started_at=now,
            start=window.start,
            end=window.end,
            completed_at=now,
            causes=calls.causes,
            last_cause=next(iter(calls.causes.values())),
        )
        counts = record_counts(verdicts, len(rows))
        outputs = Delivery(parts.topics, parts.stamp, facts).records(verdicts, counts)
        journal.deliver([o for o in outputs if not isinstance(o.event, IngestionRunCompleted)])
    return counts.created


def _peak_kib() -> int:
    # Not getrusage: its maximum outlives exec, and would be that of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def main(arguments: list[str]) -> int:
    """Make one run in this process and print the peak of its memory: VENDOR-URL, its INSTANT, ROWS."""
    url, now, rows = arguments
    one_run(SharedSettings(), Vendor(url, datetime.fromisoformat(now)), int(rows))
    print(json.dumps({"peak_rss_mb": round(_peak_kib() / 1024, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
