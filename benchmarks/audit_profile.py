"""Where the auditor's time goes: processor seconds of each step per 10,000 events, its own and Postgres's.

    TRADETRAIL_POSTGRES_DSN=... python -m benchmarks.audit_profile [EVENTS]

Without Kafka and a registry: events are made here and given to the auditor's own steps. Processor time, not elapsed
time, so that what else the machine does hardly matters. The database must be on this machine.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from benchmarks.audit_log import encoded, mixed_events
from benchmarks.audit_rig import new_schema
from benchmarks.paper_log import local_codec
from services.auditor.composition import collect_seldom
from services.auditor.database.migrate import migrate
from services.auditor.entry import Entry
from services.auditor.writing.store import Batch, Store
from tradetrail.log.reader import Received
from tradetrail.log.straight import Form

EVENTS, BATCH = 20_000, 10_000
_PER = 10_000
_TOPIC = "trade.default"
_APPENDED = datetime(2026, 1, 1, tzinfo=UTC)


def profile(dsn: str, count: int = EVENTS) -> dict[str, float]:
    """Return processor milliseconds per 10,000 events by step; ``postgres`` is the server's session."""
    codec = local_codec(Form.TEXTS)
    collect_seldom()
    received, schemas = _received(codec, count), {}
    spent: dict[str, float] = defaultdict(float)
    with new_schema(dsn) as schema:
        migrate(dsn, schema)
        store = Store(dsn, schema, "tradetrail_writer")
        places = {(_TOPIC, partition) for partition in range(6)}
        at = dict(store.positions(places))
        server = _pid(store)
        warm = min(1_000, count // 4)
        cuts = [0, warm, *range(warm + BATCH, count, BATCH), count]
        for begin, end in pairwise(cuts):
            if begin:
                spent["events"] += end - begin
            chunk = received[begin:end]
            before, theirs = time.process_time(), _processor_s(server)
            entries = [Entry(each, codec.decode(each.value)) for each in chunk]
            decoded = time.process_time()
            for each in entries:
                if each.decoded and each.decoded.schema_id not in schemas:
                    name = each.decoded.type_name
                    schemas[each.decoded.schema_id] = (name, "{}")
            ends = at | {e.message.place: e.message.offset + 1 for e in entries}
            batch = Batch(entries, at, ends)
            began = time.process_time()
            store.write(batch, schemas)
            at = ends
            if begin:
                spent["decode"] += decoded - before
                spent["write"] += time.process_time() - began
                spent["postgres"] += _processor_s(server) - theirs
        store.close()
    events = spent.pop("events")
    return {name: round(seconds * 1e3 * _PER / events, 1) for name, seconds in spent.items()}


def _received(codec: Any, count: int) -> list[Received]:
    chance, offsets, found, ids = random.Random(7), Counter[int](), [], {}
    for number, (partition, name, datum) in enumerate(islice(mixed_events(chance), count)):
        if name not in ids:
            ids[name] = codec.register(f"tradetrail.events.{name}")
        value = encoded(ids[name], name, datum)
        key = str(datum["symbol"]).encode()
        appended = _APPENDED + timedelta(milliseconds=number)
        found.append(Received(_TOPIC, partition, offsets[partition], key, value, appended))
        offsets[partition] += 1
    return found


def _pid(store: Store) -> int:
    with store._session.use() as connection:
        return connection.info.backend_pid


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    if not (dsn := os.environ.get("TRADETRAIL_POSTGRES_DSN")):
        sys.exit("set TRADETRAIL_POSTGRES_DSN to a Postgres on this machine")
    print(json.dumps(profile(dsn, number)))
