"""Reports as files over HTTP: the forms clients ask for, pages' links to them, and whole listings.

Of those: every row, an end that is told from a break, few at once.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pyarrow.parquet
import pytest
import requests

from services.auditor.api.reports import exports
from tests import auditor_story as story
from tests.eventually import eventually
from tests.integration.api_server import PAGE, TIMEOUT_S, Served, is_problem, served
from tests.integration.audit_schema import fresh_schema
from tests.integration.trade_rows import Database
from tradetrail.reports import listing as listings
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.encode import to_json
from tradetrail.reports.executed import EXECUTED

pytestmark = pytest.mark.stack

PARQUET = "application/vnd.apache.parquet"
ALL = "/reports/executed?all=true"
ROWS = 11
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "parquet": PARQUET}
DECISION = story.an_id("d", "d1")
# A page, and what its files are asked for: of a listing every row, of another report no page but all of it.
PAGES = {
    "/reports/executed?symbol=&side=buy&limit=1": "/reports/executed?side=buy&all=true",
    "/reports/failed?from=2020-03-01&limit=2": "/reports/failed?from=2020-03-01&all=true",
    "/reports/declined?symbol=AAPL": "/reports/declined?symbol=AAPL&all=true",
    "/reports/runs?limit=1": "/reports/runs?all=true",
    "/reports/unresolved": "/reports/unresolved?all=true",
    "/reports/operator-acts": "/reports/operator-acts?all=true",
    "/reports/performance?strategy=": "/reports/performance",
    "/reports/symbol/MSFT?by=transaction-date&limit=1": "/reports/symbol/MSFT?by=transaction-date",
    f"/reports/decision/{DECISION}": f"/reports/decision/{DECISION}",
    f"/reports/known-at/{DECISION}?limit=1": f"/reports/known-at/{DECISION}?all=true",
    "/reports/portfolio": "/reports/portfolio",
    "/reports/events/megacap/0/0": "/reports/events/megacap/0/0",
}


@pytest.fixture(scope="module")
def api(trades: Database) -> Iterator[Served]:
    """Return an API on the story of trades."""
    with served(trades) as api:
        yield api


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an export of a few rows have several pages."""
    monkeypatch.setattr(listings, "EXPORT_PAGE_ROWS", 2)


def get(api: Served, path: str, accept: str | None = None, **more: Any) -> requests.Response:
    return api.ask(path, headers={"Accept": accept}, **more)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/reports/executed?from=2020-01-01&to=2020-12-31", "executed_2020-01-01_2020-12-31"),
        ("/reports/performance", "performance"),
        ("/reports/symbol/aapl", "symbol-aapl"),
        ("/reports/portfolio", "portfolio"),
        ("/reports/runs?limit=1", "runs"),
    ],
)
def test_every_report_comes_in_the_form_that_the_client_likes(
    api: Served, path: str, name: str
) -> None:
    rows = list(csv.DictReader(io.StringIO(get(api, path, "text/csv, */*;q=0.1").text)))
    answer = get(api, path, f"{PARQUET}, text/csv;q=0.9")
    assert answer.headers["Content-Type"] == PARQUET
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.parquet"'
    assert answer.headers["Vary"] == "Accept"
    table = pyarrow.parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert [{k: v or "" for k, v in row.items()} for row in table] == rows
    told = get(api, path, "text/csv;q=0.2, application/json")
    assert told.json()
    assert (told.headers["Vary"], told.headers.get("Content-Disposition")) == ("Accept", None)
    assert "<html" in get(api, path, "text/html, application/json;q=0.9").text
    assert PARQUET in is_problem(get(api, path, "image/png"), 406)["detail"]


def links(page: str) -> dict[str, str]:
    """Return the addresses of a page's files by their form."""
    (part,) = re.findall(r'<nav class="files">(.*?)</nav>', page, re.DOTALL)
    found = [html.unescape(address) for address in re.findall(r'href="([^"]*)"', part)]
    return {dict(parse_qsl(urlsplit(address).query))["format"]: address for address in found}


@pytest.mark.parametrize(
    ("page", "whole"), PAGES.items(), ids=[urlsplit(page).path.split("/")[2] for page in PAGES]
)
def test_the_files_that_a_page_links_to_are_the_report(api: Served, page: str, whole: str) -> None:
    files = links(get(api, page, BROWSER).text)
    mark = "&" if "?" in whole else "?"
    assert files == {form: f"{whole}{mark}format={form}" for form in TYPES}
    # A browser says the same whatever it follows.
    got = {form: get(api, address, BROWSER) for form, address in files.items()}
    for form, answer in got.items():
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, TYPES[form])
    for form in ("json", "csv"):
        assert got[form].content == get(api, whole, TYPES[form]).content
    rows = list(csv.DictReader(io.StringIO(got["csv"].text)))
    table = pyarrow.parquet.read_table(io.BytesIO(got["parquet"].content)).to_pylist()
    assert [{k: v or "" for k, v in row.items()} for row in table] == rows
    assert rows


def test_the_overview_is_had_as_json_too(api: Served) -> None:
    assert links(get(api, "/", BROWSER).text) == {"json": "/?format=json"}
    assert get(api, "/?format=json", PAGE).json()["symbols"]
    told = is_problem(get(api, "/?format=csv"), 406)["detail"]
    assert "only as html, json" in told


def test_a_page_without_a_report_links_to_no_file(api: Served) -> None:
    answer = get(api, "/reports/executed?symbol=ZZZZ", PAGE)
    assert answer.status_code == 404
    assert 'class="files"' not in answer.text


@pytest.mark.parametrize("path", ["/", "/reports/executed", f"/reports/decision/{DECISION}"])
def test_a_form_that_there_is_not_is_a_problem(api: Served, path: str) -> None:
    is_problem(get(api, f"{path}?format=xml"), 422)


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_all_rows_are_what_one_page_of_them_would_say(
    api: Served, trades: Database, accept: str
) -> None:
    answer = get(api, ALL, accept)
    with trades.reader() as connection:
        whole = json.loads(to_json(EXECUTED.report(connection, TradeFilter())))
    assert answer.json() == whole
    assert len(whole["executed"]) == ROWS
    assert "Content-Length" not in answer.headers
    assert answer.headers["Content-Disposition"] == 'attachment; filename="executed.json"'
    text = get(api, ALL, "text/csv").text
    assert text == get(api, "/reports/executed", "text/csv").text
    table = pyarrow.parquet.read_table(io.BytesIO(get(api, ALL, PARQUET).content))
    assert table.num_rows == ROWS


def test_all_of_another_listing(api: Served) -> None:
    for name in ("failed", "declined", "runs", "operator-acts", "unresolved"):
        one, whole = (get(api, f"/reports/{name}{query}").json() for query in ("", "?all=true"))
        assert one == whole


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("all=true&limit=5", 422),
        ("all=true&after=2020-03-02T00:00:00Z~x", 422),
        ("all=perhaps", 422),
        ("all=true&symbol=A%20B", 400),
        ("all=true&symbol=ZZZZ", 404),
        ("all=true&from=2020-03-02&to=2020-03-01", 400),
    ],
)
def test_bad_questions_get_problems_and_leave_the_place_free(
    api: Served, words: str, status: int
) -> None:
    is_problem(get(api, f"/reports/executed?{words}"), status)
    assert len(get(api, ALL).json()["executed"]) == ROWS


def test_a_page_is_no_form_of_all_rows(api: Served) -> None:
    answer = get(api, ALL, "text/html;q=0.9, application/problem+json")
    assert "text/csv" in is_problem(answer, 406)["detail"]
    named = is_problem(get(api, f"{ALL}&format=html"), 406)["detail"]
    assert "only as json, csv, parquet" in named


def test_an_export_that_breaks_is_told_from_one_that_ends(
    api: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "EXPORT_TIMEOUT_S", -1.0)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(api, ALL, "text/csv")
    begun = raw(api, ALL).partition(b"\r\n\r\n")[2].partition(b"\r\n")[2].partition(b"\r\n")[0]
    assert begun.startswith(b'{"period"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(begun)
    monkeypatch.undo()
    assert len(get(api, ALL).json()["executed"]) == ROWS


@pytest.fixture(scope="module")
def wide(stack: Any) -> Iterator[tuple[Served, Database]]:
    """Return an API on acts whose answer is more than a connection holds on its way."""
    with fresh_schema(stack.addresses.postgres_dsn) as (name, owner):
        owner.execute(
            """
            INSERT INTO operator_acts
                (act_id, act, operator, why, scope, arguments, acted_at, topic, partition, "offset")
            SELECT 'act-' || n, 'halt', 'ann', repeat('why ', 50000), 'everything', '{}', now(), 'control', 0, n
            FROM generate_series(1, 100) n
            """
        )
        database = Database(stack.addresses.postgres_dsn, name)
        with served(database) as api:
            yield api, database


def raw(api: Served, path: str) -> bytes:
    """Return all bytes of an answer until its connection ends."""
    with asking(api, path) as client, client.makefile("rb") as answer:
        return answer.read()


def silent(api: Served) -> socket.socket:
    """Return a client that asks for all acts and reads nothing but the first bytes."""
    client = asking(api, "/reports/operator-acts?all=true")
    assert client.recv(12) == b"HTTP/1.1 200"
    return client


def asking(api: Served, path: str) -> socket.socket:
    """Return a client that has asked for ``path`` and takes little at once."""
    host, port = api.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=TIMEOUT_S)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def exporting(database: Database) -> int:
    """Return how many transactions of readers are open on the schema's server."""
    with psycopg.connect(database.dsn) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
            "AND pid <> pg_backend_pid()"
        ).fetchone()
    return found[0] if found else 0


def test_too_many_at_once_are_told_to_come_again_and_pages_go_on(
    wide: tuple[Served, Database],
) -> None:
    api, database = wide
    with silent(api):
        eventually(lambda: exporting(database), lambda open_ones: open_ones >= 1)
        answer = get(api, "/reports/operator-acts?all=true", "text/csv")
        assert "under way" in is_problem(answer, 503)["detail"]
        assert int(answer.headers["Retry-After"]) > 0
        assert len(get(api, "/reports/operator-acts?limit=2").json()["operator_acts"]) == 2
    # It went away: its place is free again.
    eventually(
        lambda: get(api, "/reports/operator-acts?all=true", "text/csv").status_code,
        lambda status: status == 200,
    )


def test_a_client_that_takes_nothing_is_given_up(
    wide: tuple[Served, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, _ = wide
    monkeypatch.setattr(exports, "STALL_TIMEOUT_S", 0.5)
    with silent(api):
        eventually(
            lambda: get(api, "/reports/operator-acts?all=true", "text/csv").status_code,
            lambda status: status == 200,
        )
