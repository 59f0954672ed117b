"""Seeds the reports' benchmark through the auditor's own writer, without Kafka: two processes, and what each does.

    python -m benchmarks.reports_seed LANE STEPS_SMALL STEPS_LARGE STEP_EVENTS UNTIL    (of ``TRADETRAIL_POSTGRES_DSN``)

Each step is a batch of the auditor: decoded and prepared here while Postgres takes the one before, as its service does.
What was written is told by the positions; a seed that was cut off goes on behind them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.paper_log import local_codec
from benchmarks.parts import Say
from benchmarks.reports_samples import TOPIC, templates
from benchmarks.reports_shape import LANES, PARTITIONS_EACH, STRIDE, Lane, Size
from benchmarks.reports_story import Step
from services.auditor.composition import collect_seldom
from services.auditor.database.migrate import migrate
from services.auditor.entry import Entry
from services.auditor.reading.decoder import Decoder
from services.auditor.writing.prepared import Preparation
from services.auditor.writing.store import Batch, Store
from tradetrail.errors import Fatal, UsageError

WRITER = "tradetrail_writer"
# Between two lines of progress.
_SAY_EVERY_S = 30.0
_LOOK_EVERY_S = 0.5
# Beside the audit's tables: what the seed is, and what each step brought.
_TALLIES = sql.SQL(
    "CREATE TABLE IF NOT EXISTS {} (lane int, step int, tally jsonb NOT NULL, PRIMARY KEY (lane, step))"
)
_ADD_TALLY = sql.SQL("INSERT INTO {} VALUES (%s, %s, %s) ON CONFLICT DO NOTHING")
_READ_TALLIES = sql.SQL("SELECT tally FROM {} WHERE lane = %s AND step < %s")
_READ_POSITIONS = sql.SQL(
    "SELECT partition, next_offset FROM {}.positions WHERE topic = %s AND partition = ANY(%s)"
)


def seed(dsn: str, schema: str, size: Size, until: int, say: Say) -> Counter[str]:
    """Write every step before ``until`` that is missing, in two processes; return what all of them brought.

    The schema is made or upgraded. Raises UsageError when it holds another seed, Fatal when a writer fails.
    """
    migrate(dsn, schema)
    _mark(dsn, schema, size)
    done = done_steps(dsn, schema)
    if min(done) >= until:
        return tallied(dsn, schema, until)
    begun_at, before = time.perf_counter(), sum(done)
    env = {**os.environ, "TRADETRAIL_POSTGRES_DSN": dsn, "TRADETRAIL_POSTGRES_SCHEMA": schema}
    writers = []
    try:
        for lane in range(LANES):
            numbers = map(str, (lane, *astuple(size), until))
            argv = (sys.executable, "-m", "benchmarks.reports_seed", *numbers)
            writers.append(subprocess.Popen(argv, env=env))
        said_at = begun_at
        while any(writer.poll() is None for writer in writers):
            time.sleep(_LOOK_EVERY_S)
            if any(writer.poll() for writer in writers):
                raise Fatal("a process that seeds has failed; see above")
            if time.perf_counter() - said_at > _SAY_EVERY_S:
                said_at = time.perf_counter()
                steps = sum(done_steps(dsn, schema))
                _progress(say, size, steps - before, LANES * until - steps, said_at - begun_at)
    finally:
        for writer in writers:
            writer.terminate()
            writer.wait()
    if any(writer.returncode for writer in writers):
        raise Fatal("a process that seeds has failed; see above")
    say(f"seeded in {time.perf_counter() - begun_at:.0f} s")
    return tallied(dsn, schema, until)


def done_steps(dsn: str, schema: str) -> list[int]:
    """Return how many steps of each lane are in the database."""
    with psycopg.connect(dsn) as connection:
        query = _READ_POSITIONS.format(sql.Identifier(schema))
        firsts = [lane * PARTITIONS_EACH for lane in range(LANES)]
        found = dict(connection.execute(query, (TOPIC, firsts)).fetchall())
    return [int(found.get(first, 0)) // STRIDE for first in firsts]


def tallied(dsn: str, schema: str, until: int) -> Counter[str]:
    """Return what the steps before ``until`` brought, as the seed counted it."""
    total: Counter[str] = Counter()
    with psycopg.connect(dsn) as connection:
        for lane in range(LANES):
            query = _READ_TALLIES.format(_tallies(schema))
            for (tally,) in connection.execute(query, (lane, until)):
                total.update(tally)
    return total


def write_lane(dsn: str, schema: str, size: Size, lane: Lane, until: int) -> None:
    """Write the steps of one lane that are missing."""
    collect_seldom()
    codec = local_codec()
    decoder = Decoder(codec, frozenset())
    made_of = templates(codec)
    store = Store(dsn, schema, WRITER)
    positions = store.positions(lane.places)
    first = positions[lane.places[0]] // STRIDE
    writing: Future[None] | None = None
    try:
        with (
            ThreadPoolExecutor(1, "writer") as writer,
            psycopg.connect(dsn, autocommit=True) as own,
        ):
            for number in range(first, until):
                step = Step(made_of, size, lane, number)
                batch = _prepared(decoder, step)
                if writing is not None:
                    writing.result()
                tally = (lane.number, number, json.dumps(step.tally))
                own.execute(_ADD_TALLY.format(_tallies(schema)), tally)
                writing = writer.submit(store.write, batch, dict(decoder.schemas))
            if writing is not None:
                writing.result()
    finally:
        store.close()


def _prepared(decoder: Decoder, step: Step) -> Batch:
    """Return a step's batch, made ready as the auditor's service does."""
    preparation = Preparation()
    entries = [Entry(event) for event in step.events()]
    for entry in entries:
        decoder.read(entry)
        if entry.bad is not None:
            raise Fatal(f"a seeded event can't be read: {entry.bad}")
        preparation.add(entry)
        entry.decoded = None
    return Batch(entries, step.starts, step.ends, preparation.done())


def _mark(dsn: str, schema: str, size: Size) -> None:
    """Write down what the seed is, or compare with what is written down."""
    ours = json.dumps(astuple(size))
    name = sql.Identifier(schema)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_TALLIES.format(_tallies(schema)))
        there = connection.execute("SELECT obj_description(%s::regnamespace)", (schema,)).fetchone()
        marked = there[0] if there else None
        if marked is not None and marked != ours:
            raise UsageError(
                f"schema {schema} holds another seed ({marked}, not {ours}); choose another --keep folder"
            )
        connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(name, sql.Literal(ours)))


def _tallies(schema: str) -> sql.Identifier:
    return sql.Identifier(f"{schema}_tallies")


def _progress(say: Say, size: Size, done: int, left: int, seconds: float) -> None:
    rate = done * size.step_events / seconds
    eta = f"{left * size.step_events / rate:,.0f} s left" if rate else "no batch yet"
    say(f"  {done * size.step_events:,} events, {rate:,.0f} a second, {eta}")


def main(arguments: list[str]) -> None:
    """Write one lane, as the command line says."""
    lane, *numbers = map(int, arguments)
    *shape, until = numbers
    env: Any = os.environ
    dsn, schema = env["TRADETRAIL_POSTGRES_DSN"], env["TRADETRAIL_POSTGRES_SCHEMA"]
    write_lane(dsn, schema, Size(*shape), Lane(lane), until)


if __name__ == "__main__":
    main(sys.argv[1:])
