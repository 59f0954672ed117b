"""Whole listings as files: what pages say, every row of one state of the database, in bounded memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet
import pytest

from tests.integration.audit_schema import fresh_schema
from tests.integration.auditor_harness import told_by_pages
from tests.integration.trade_rows import Database
from tradetrail.cli.main import run
from tradetrail.reports import export as export_forms
from tradetrail.reports import listing as listings
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.dead_letters import DEAD_LETTERS, LetterFilter
from tradetrail.reports.declined import DECLINED, DeclinedFilter
from tradetrail.reports.encode import to_json
from tradetrail.reports.executed import EXECUTED
from tradetrail.reports.export import FileForm, to_csv
from tradetrail.reports.failed import FAILED, FailedFilter
from tradetrail.reports.listing import Listing
from tradetrail.reports.operator_acts import OPERATOR_ACTS, ActFilter
from tradetrail.reports.runs import RUNS, RunFilter
from tradetrail.reports.unresolved import UNRESOLVED, UnresolvedFilter

pytestmark = pytest.mark.stack

LISTINGS: list[tuple[Listing[Any], Any]] = [
    (EXECUTED, TradeFilter()),
    (FAILED, FailedFilter()),
    (DECLINED, DeclinedFilter(symbol="AAPL")),
    (RUNS, RunFilter()),
    (OPERATOR_ACTS, ActFilter()),
    (UNRESOLVED, UnresolvedFilter()),
    (DEAD_LETTERS, LetterFilter()),
]
each_listing = pytest.mark.parametrize(
    ("listing", "chosen"), LISTINGS, ids=[listing.name for listing, _ in LISTINGS]
)
ACTS = 12_000
FIRST_DAY = date(2020, 1, 1)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an export of a few rows have several pages."""
    monkeypatch.setattr(listings, "EXPORT_PAGE_ROWS", 2)


@pytest.fixture
def asking(trades: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return what runs ``tradetrail report`` on the story of trades and returns its exit code."""
    monkeypatch.setenv("TRADETRAIL_POSTGRES_DSN", trades.dsn)
    monkeypatch.setenv("TRADETRAIL_POSTGRES_SCHEMA", trades.schema)
    return lambda *words: run(["report", *words])


def exported(connection: psycopg.Connection[Any], listing: Listing[Any], *asked: Any) -> bytes:
    chosen, form = asked
    with listing.export(connection, chosen) as export:
        return b"".join(export.parts(form))


@each_listing
def test_an_export_has_the_rows_of_all_pages(
    trades: Database, listing: Listing[Any], chosen: Any
) -> None:
    with trades.reader() as connection:
        rows = told_by_pages(
            lambda limit, after: listing.report(connection, chosen, limit, after), listing.name, 1
        )
        whole = listing.report(connection, chosen)
        told = json.loads(exported(connection, listing, chosen, FileForm.JSON))
        assert told == json.loads(to_json(whole))
        assert told[listing.name] == json.loads(to_json(rows))
        text = exported(connection, listing, chosen, FileForm.CSV).decode()
        assert text == to_csv(listing.sheet(whole))
        content = exported(connection, listing, chosen, FileForm.PARQUET)
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    assert tuple(table.column_names) == listing.columns
    flat = [{k: v or "" for k, v in row.items()} for row in table.to_pylist()]
    assert flat == list(csv.DictReader(io.StringIO(text)))


def test_the_story_has_listings_of_several_pages(trades: Database) -> None:
    with trades.reader() as connection:
        totals = [listing.report(connection, c)["totals"][listing.name] for listing, c in LISTINGS]
    assert sum(total > 2 for total in totals) >= 2
    assert 0 in totals


def test_what_comes_meanwhile_is_not_in_an_export(stack: Any) -> None:
    with fresh_schema(stack.addresses.postgres_dsn) as (name, owner):
        add_acts(owner, 5)
        with (
            Database(stack.addresses.postgres_dsn, name).reader() as connection,
            OPERATOR_ACTS.export(connection, ActFilter()) as export,
        ):
            parts = export.parts(FileForm.CSV)
            begun = [next(parts), next(parts)]
            add_acts(owner, 5, "late")
            told = b"".join([*begun, *parts]).decode()
            assert (export.rows_total, export.rows_done) == (5, 5)
    assert len(told.splitlines()) == 1 + 5
    assert "late" not in told


@pytest.mark.parametrize("form", list(FileForm))
def test_the_command_writes_every_row_into_a_file(
    asking: Callable[..., int],
    trades: Database,
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    form: FileForm,
) -> None:
    target = tmp_path / "executed"
    target.write_text("older")
    assert asking("executed", "--all", "--format", form, "-o", str(target)) == 0
    said = capsysbinary.readouterr()
    assert said.out == b""
    assert b"11 rows in" in said.err
    with trades.reader() as connection:
        expected = exported(connection, EXECUTED, TradeFilter(), form)
    assert target.read_bytes() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["executed"]
    assert asking("executed", "--all", "--format", form) == 0
    assert capsysbinary.readouterr().out == expected


def test_the_counts_of_a_symbol_stay_beside_the_rows(
    asking: Callable[..., int], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert asking("declined", "--symbol", "AAPL", "--all", "--format", "csv") == 0
    assert b"disclosures of AAPL came in the period" in capsysbinary.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("--all",),
        ("--all", "--format", "csv", "--limit", "5"),
        ("--all", "--format", "csv", "--after", "2020-03-02T00:00:00Z~x"),
        ("--all", "--format", "csv", "--symbol", "ZZZZ"),
        ("--all", "--format", "xml"),
        ("--all", "--format", "csv", "-o", "/nowhere/at/all.csv"),
    ],
)
def test_words_that_do_not_go_together_are_exit_code_2(
    asking: Callable[..., int],
    capsysbinary: pytest.CaptureFixture[bytes],
    words: tuple[str, ...],
) -> None:
    assert asking("executed", *words) == 2
    said = capsysbinary.readouterr()
    assert said.out == b""
    assert said.err
    assert b"Traceback" not in said.err


def test_a_file_is_as_it_was_when_its_rows_do_not_come(
    asking: Callable[..., int], tmp_path: Path
) -> None:
    target = tmp_path / "executed.csv"
    target.write_text("older")
    words = ("--all", "--format", "csv", "--symbol", "ZZZZ", "-o", str(target))
    assert asking("executed", *words) == 2
    assert target.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["executed.csv"]


@pytest.fixture(scope="module")
def many_acts(stack: Any) -> Iterator[Database]:
    """Return a schema with a great many acts, most of them after the first days."""
    with fresh_schema(stack.addresses.postgres_dsn) as (name, owner):
        add_acts(owner, ACTS)
        owner.execute("CREATE INDEX ON operator_acts (acted_at, act_id)")
        owner.execute("ANALYZE operator_acts")
        yield Database(stack.addresses.postgres_dsn, name)


def add_acts(owner: psycopg.Connection[Any], count: int, key: str = "act") -> None:
    """Add acts, a minute apart."""
    owner.execute(
        """
        INSERT INTO operator_acts (act_id, act, operator, why, scope, arguments, acted_at, event_id,
            topic, partition, "offset", available_at)
        SELECT %(key)s || n, 'halt', 'ann', repeat('why ', 50), 'everything', '{}',
            begins + n * '1 minute'::interval, %(key)s || n, 'control', 0, n, begins
        FROM generate_series(1, %(count)s) n, (SELECT %(day)s::timestamptz AS begins) day
        """,
        {"key": key, "count": count, "day": FIRST_DAY},
    )


@pytest.mark.parametrize("form", list(FileForm))
def test_what_an_export_holds_does_not_grow_with_its_rows(
    many_acts: Database, monkeypatch: pytest.MonkeyPatch, form: FileForm
) -> None:
    monkeypatch.setattr(listings, "EXPORT_PAGE_ROWS", 300)
    monkeypatch.setattr(export_forms, "_GROUP_ROWS", 600)
    peaks = []
    for chosen in (ActFilter(end=date(2020, 1, 3)), ActFilter()):
        with (
            many_acts.reader() as connection,
            OPERATOR_ACTS.export(connection, chosen) as export,
        ):
            tracemalloc.start()
            for _ in export.parts(form):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert export.rows_done == ACTS
    # Four times the rows.
    assert peaks[1] < 1.25 * peaks[0]
