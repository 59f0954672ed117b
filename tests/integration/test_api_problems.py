"""What can't be answered is a clear problem of the asker's, never a failure of ours, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.api_server import PAGE, Served, is_problem, served
from tests.integration.trade_rows import Database
from tradetrail.reports.connection import ReaderPool
from tradetrail.settings import SharedSettings
from tradetrail.telemetry import configure_logging

pytestmark = pytest.mark.stack

LISTINGS = ("executed", "failed", "declined", "runs", "operator-acts", "unresolved")
HOSTILE = (
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "%F0%9F%92%A3",
    "'%3BDROP%20TABLE%20events--",
    "..%2f..%2fetc%2fpasswd",
    "%3Cscript%3E",
    "%0d%0aX-Evil:%201",
    "x" * 5_000,
)


@pytest.fixture(scope="module")
def api(trades: Database) -> Iterator[Served]:
    """Return an API that anyone may ask as often as they like."""
    with served(trades, api_rate_per_s=0) as api:
        yield api


@pytest.mark.parametrize("name", LISTINGS)
@pytest.mark.parametrize(
    "words",
    [
        "limit=0",
        "limit=-1",
        "limit=10001",
        "limit=1000000000000000000000000",
        f"limit={'9' * 5_000}",
        "limit=ten",
        "limit=1.5",
        "after=x",
        "after=2020-01-01",
        "after=2020-01-01T00:00:00~x",
        "after=2020-01-01T00:00:00Z~",
        "after=2020-01-01T00:00:00Z~%00",
        "after=9999-12-31T23:59:59-23:59~x%00",
        "nonsense=1",
        "limit=1&nonsense=%00",
    ],
    ids=lambda words: words[:40],
)
def test_a_wrong_word_is_a_problem(api: Served, name: str, words: str) -> None:
    answer = api.ask(f"/reports/{name}?{words}")
    assert answer.status_code in (400, 422), answer.text
    is_problem(answer, answer.status_code)


@pytest.mark.parametrize("name", ["executed", "failed", "declined", "runs", "operator-acts"])
@pytest.mark.parametrize(
    "day", ["2020-02-30", "0000-01-01", "10000-01-01", "yesterday", "9999-12-31", "1e9", "%00"]
)
def test_a_wrong_day_is_a_problem(api: Served, name: str, day: str) -> None:
    for word in ("from", "to"):
        answer = api.ask(f"/reports/{name}?{word}={day}")
        assert answer.status_code in (400, 422), answer.text
        is_problem(answer, answer.status_code)


def test_cursors_at_the_ends_of_the_calendar_are_answered(api: Served) -> None:
    for at in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"):
        for name in LISTINGS:
            answer = api.ask(f"/reports/{name}?after={at}~x")
            assert answer.status_code in (200, 400), (name, at, answer.text)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20])
def test_hostile_text_anywhere_is_a_problem_or_finds_nothing(api: Served, text: str) -> None:
    paths = [f"/reports/{kind}/{text}" for kind in ("symbol", "decision", "known-at", "nothing")]
    paths += [f"/reports/events/{text}/0/0", f"/reports/events/megacap/{text}/0", f"/{text}"]
    for path in paths:
        answer = api.ask(path)
        assert 400 <= answer.status_code < 500, (path, answer.text)
        problem = is_problem(answer, answer.status_code)
        assert len(problem["detail"]) < 1_000
        assert "X-Evil" not in answer.headers
        page = api.ask(path, headers={"Accept": PAGE})
        assert page.status_code == answer.status_code
        assert "<script>" not in page.text
    for name, words in (
        ("executed", ("symbol", "strategy", "side", "after")),
        ("runs", ("task", "run", "data_source", "status")),
        ("operator-acts", ("operator", "act", "symbol")),
        ("unresolved", ("account", "symbol")),
    ):
        for word in words:
            answer = api.ask(f"/reports/{name}?{word}={text}")
            assert answer.status_code < 500, (name, word, answer.text)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
def test_another_method_is_told_which_there_are(api: Served, method: str) -> None:
    answer = api.ask("/reports/executed", method=method)
    is_problem(answer, 405)
    assert answer.headers["Allow"] == "GET"


def test_while_the_database_is_away_the_answer_says_when_to_come_again(
    trades: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradetrail.reports.connection.POOL_TIMEOUT_S", 1.0)
    away = Database("postgresql://nobody:secret-word@127.0.0.1:1/none", trades.schema)
    with served(away) as api:
        answer = api.ask("/reports/portfolio")
        told = is_problem(answer, 503)["detail"]
        assert int(answer.headers["Retry-After"]) > 0
        assert "secret-word" not in told


def test_our_own_mistake_is_a_problem_that_leads_to_the_log(
    trades: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect of ours")

    configure_logging(SharedSettings())
    with served(trades) as api:
        monkeypatch.setattr(ReaderPool, "connection", broken)
        answer = api.ask("/reports/portfolio", headers={"X-Request-Id": "look-for-me"})
        problem = is_problem(answer, 500)
        assert "defect" not in answer.text
        assert "look-for-me" in problem["detail"]
        page = api.ask("/reports/portfolio", headers={"Accept": PAGE})
        assert page.status_code == 500
        assert "Traceback" not in page.text
    told = capfd.readouterr()
    assert "a defect of ours" in told.err + told.out
    assert "look-for-me" in told.err + told.out
