"""How long reports take: their queries on one connection, and over HTTP from a client that keeps its connection."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import requests

from benchmarks.log_rig import free_port, until_answered
from benchmarks.parts import Say
from benchmarks.reports_asked import Asked, asked
from benchmarks.reports_plans import keep, planned
from services.auditor.composition import collect_seldom
from tradetrail.errors import Fatal
from tradetrail.reports.connection import open_reader

READER = "tradetrail_reader"
REPETITIONS = 200
# A question that takes long is asked fewer times.
_ASK_MAX_S = 20.0
_LEAST = 5
# Of fewer, the slowest one would pass for the 99th percentile.
_LEAST_FOR_P99 = 100
# The first ones read pages into memory and make plans.
_WARM = 3
_HTTP_TIMEOUT_S = 120.0


def measure(
    dsn: str, schema: str, chosen: list[str], repetitions: int, plans: Path, say: Say
) -> dict[str, Any]:
    """Return milliseconds by question: ``NAME_db_p50_ms``, ``NAME_http_p99_ms`` …, and what the plans tell.

    A p99 is None where the question was asked too few times to have one.
    Raises Fatal when a question is not answered.
    """
    _vacuum(dsn)
    # As in the service that answers.
    collect_seldom()
    questions = [each for each in asked(dsn, schema) if not chosen or each.name in chosen]
    figures: dict[str, Any] = {}
    partitions: dict[str, int] = {}
    with open_reader(dsn, schema, READER) as connection:
        for question in questions:
            with connection.transaction():
                found = planned(connection, question)
            keep(found, plans)
            partitions[question.name] = len(found.partitions)
            figures |= _timed(
                f"{question.name}_db", lambda q=question: q.answer(connection), repetitions, say
            )
    figures["partitions_scanned"] = partitions
    with _api(dsn, schema) as url, requests.Session() as session:
        for question in questions:
            figures |= _timed(
                f"{question.name}_http",
                lambda q=question: _get(session, url, q),
                repetitions,
                say,
            )
    return figures


def _timed(
    name: str, ask: Callable[[], Any], repetitions: int, say: Say
) -> dict[str, float | None]:
    for _ in range(_WARM):
        ask()
    took: list[float] = []
    begun = time.perf_counter()
    while len(took) < repetitions:
        at = time.perf_counter()
        ask()
        took.append((time.perf_counter() - at) * 1e3)
        if len(took) >= _LEAST and time.perf_counter() - begun > _ASK_MAX_S:
            break
    p50, p99 = percentiles(took)
    told = "too few for p99" if p99 is None else f"p99 {p99:.1f} ms"
    say(f"  {name}: p50 {p50:.1f} ms, {told}, of {len(took)}")
    return {
        f"{name}_p50_ms": round(p50, 2),
        f"{name}_p99_ms": None if p99 is None else round(p99, 2),
    }


def percentiles(took: Sequence[float]) -> tuple[float, float | None]:
    """Return the median, and the 99th percentile; None in its place for fewer than 100."""
    ordered, rank = sorted(took), -(-99 * len(took) // 100)
    return statistics.median(ordered), ordered[rank - 1] if len(took) >= _LEAST_FOR_P99 else None


def _get(session: requests.Session, url: str, question: Asked) -> bytes:
    answer = session.get(
        url + question.path, headers={"Accept": question.accept}, timeout=_HTTP_TIMEOUT_S
    )
    if answer.status_code != requests.codes.ok:
        raise Fatal(f"{question.path} answered {answer.status_code}: {answer.text[:500]}")
    return answer.content


@contextmanager
def _api(dsn: str, schema: str) -> Iterator[str]:
    port = free_port()
    env = {
        **os.environ,
        "TRADETRAIL_POSTGRES_DSN": dsn,
        "TRADETRAIL_POSTGRES_SCHEMA": schema,
    }
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.reports_api", str(port)], env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        until_answered(f"{url}/metrics")
        yield url
    finally:
        process.terminate()
        process.wait()


def _vacuum(dsn: str) -> None:
    """Bring statistics and visibility up to date, as the server does by itself some time after a load."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
