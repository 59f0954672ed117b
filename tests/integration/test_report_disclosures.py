"""Which disclosures a symbol's report has, and how many: whatever was corrected, moved and withdrawn before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.integration.audit_schema import fresh_schema
from tradetrail.reports.symbol import By, symbol_report

pytestmark = pytest.mark.stack

SYMBOLS = ("AAPL", "IBM")
FIRST = date(2020, 3, 1)
# Three of the days lie in the period that is asked for, one before and one behind it.
START, END = FIRST + timedelta(days=1), FIRST + timedelta(days=3)
DAYS = st.none() | st.integers(0, 4).map(lambda days: FIRST + timedelta(days=days))
TABLES = ("congress_trades", "insider_trades")
_INSERT = sql.SQL(
    "INSERT INTO {} (record_id, version, symbol, disclosed_on, transaction_date, run_id) "
    "VALUES (%s, %s, %s, %s, %s, %s)"
)


@dataclass(frozen=True)
class Version:
    """What a version of a record says; without a symbol it stands among those with an unusable ticker."""

    symbol: str | None
    disclosed_on: date | None
    transaction_date: date | None


@dataclass(frozen=True)
class Recorded:
    """An event of a partition: a version, or that its symbol lost the record with it."""

    table: str
    record_id: str
    number: int
    symbol: str | None
    version: Version | None


VERSIONS = st.builds(Version, st.sampled_from((*SYMBOLS, None)), DAYS, DAYS)
HISTORIES = st.lists(
    st.tuples(st.sampled_from(TABLES), st.lists(VERSIONS, min_size=1, max_size=4)), max_size=8
)
# A record that came back and went again: the auditor may know of the second going from the new symbol alone.
TO_AND_FRO = [(TABLES[0], [Version(symbol, START, START) for symbol in SYMBOLS * 2])]
# How far the auditor is with a symbol's partition: often at its end, and with each one elsewhere.
READ_THROUGH = st.fixed_dictionaries(
    {symbol: st.none() | st.integers(0, 20) for symbol in (*SYMBOLS, None)}
)


def events_of(histories: list[tuple[str, list[Version]]]) -> Iterator[Recorded]:
    """Yield what the ingestor records, first all first versions, then all second ones …"""
    for number in range(1, 5):
        for count, (table, versions) in enumerate(histories):
            if number > len(versions):
                continue
            record_id, version = f"{table}-{count}", versions[number - 1]
            before = versions[number - 2].symbol if number > 1 else None
            if before not in (None, version.symbol):
                yield Recorded(table, record_id, number, before, None)
            yield Recorded(table, record_id, number, version.symbol, version)


def audited_of(events: Iterator[Recorded], read_through: dict[Any, int | None]) -> list[Recorded]:
    """Return those of each partition that its auditor has come to."""
    found: list[Recorded] = []
    read = dict.fromkeys(read_through, 0)
    for event in events:
        through = read_through[event.symbol]
        if through is None or read[event.symbol] < through:
            found.append(event)
        read[event.symbol] += 1
    return found


def shown(audited: list[Recorded], symbol: str, by: By) -> set[tuple[str, int]]:
    """Return which versions are current at ``symbol`` in the period, or were until it lost their record."""
    found = set()
    for event in audited:
        if event.version is None or event.symbol != symbol:
            continue
        day = event.version.disclosed_on if by is By.REPORTED else event.version.transaction_date
        if day is None or not START <= day <= END:
            continue
        later = [e for e in audited if e.record_id == event.record_id and e.number > event.number]
        lost = any(e.version is None and e.symbol == symbol for e in later)
        versions = [e for e in later if e.version is not None]
        if not (any(e.symbol == symbol for e in versions) or (versions and not lost)):
            found.add((event.record_id, event.number))
    return found


def write(connection: psycopg.Connection[Any], audited: list[Recorded]) -> None:
    """Write the rows of these events, each version with its number as the id of its run."""
    for table in TABLES:
        connection.cursor().executemany(
            _INSERT.format(sql.Identifier(table)),
            [
                (e.record_id, e.number, e.symbol, v.disclosed_on, v.transaction_date, str(e.number))
                for e in audited
                if e.table == table and (v := e.version) is not None
            ],
        )
    connection.cursor().executemany(
        "INSERT INTO disclosure_withdrawals (record_id, version, symbol) VALUES (%s, %s, %s)",
        [(e.record_id, e.number, e.symbol) for e in audited if e.version is None],
    )


@pytest.fixture(scope="module")
def connection(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    """Return an owner's connection to a schema without rows but runs by number."""
    with fresh_schema(stack.addresses.postgres_dsn) as (_, connection):
        connection.execute(
            "INSERT INTO data_ingestion_runs (run_id) VALUES ('1'), ('2'), ('3'), ('4')"
        )
        yield connection


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(TO_AND_FRO, {"AAPL": 3, "IBM": None, None: None}, "AAPL", By.REPORTED, 1)
@given(HISTORIES, READ_THROUGH, st.sampled_from(SYMBOLS), st.sampled_from(By), st.integers(1, 3))
def test_the_list_holds_what_is_current_and_the_sum_is_its_length(
    connection: psycopg.Connection[Any],
    histories: list[tuple[str, list[Version]]],
    read_through: dict[Any, int | None],
    symbol: str,
    by: By,
    limit: int,
) -> None:
    audited = audited_of(events_of(histories), read_through)
    expected = shown(audited, symbol, by)
    with connection.transaction(force_rollback=True):
        write(connection, audited)
        found: list[tuple[str, int]] = []
        after: str | None = None
        while True:
            report = symbol_report(connection, symbol, START, END, by, limit=limit, after=after)
            assert report["totals"]["data_ingested"] == len(expected)
            found += [
                (row["record_id"], int(row["ingestion_run_id"])) for row in report["data_ingested"]
            ]
            after = report["next"]
            if after is None:
                break
    assert len(found) == len(expected)
    assert set(found) == expected
