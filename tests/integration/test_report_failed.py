"""What failed, over rows as the auditor writes them: whose words, how often each reason, and the same by SQL."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests import auditor_story as story
from tests.integration.auditor_harness import told_by_pages
from tests.integration.trade_rows import Database, plan_of
from tests.trades_story import ENDED_AT, INSIDER, named
from tradetrail.errors import NotRecorded, UsageError
from tradetrail.events.generated import FailureReason, Side
from tradetrail.reports.failed import COLUMNS, FailedFilter, failed_report

pytestmark = pytest.mark.stack

# Those of AAPL failed at one instant.
TIED = sorted(("d2", "d3"), key=lambda name: story.an_id("d", name))[::-1]
NEWEST_FIRST = ["ended", *TIED]


def report(
    trades: Database, limit: int = 100, after: str | None = None, **chosen: Any
) -> dict[str, Any]:
    with trades.reader() as connection:
        return failed_report(connection, FailedFilter(**chosen), limit, after)


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["decision_id"] for row in answer["failed"]]


def test_every_failure_is_told_in_the_words_of_who_refused(trades: Database) -> None:
    answer = report(trades)
    assert list(answer) == ["period", "filters", "totals", "next", "failed"]
    assert all(tuple(row) == COLUMNS for row in answer["failed"])
    assert ids(answer) == named(NEWEST_FIRST)
    told = {row["decision_id"]: row for row in answer["failed"]}

    blocked = told[story.an_id("d", "d2")]
    assert (blocked["reason"], blocked["control"]) == ("blocked", "buying_power")
    assert (blocked["limit"], blocked["observed"], blocked["unit"]) == (100, 723, "USD")
    assert blocked["message"] == "723 USD is more than the buying power of 100 USD"
    assert (blocked["executions"], blocked["api_request"]) == (0, None)
    assert blocked["failed_at"] == story.BEGIN + timedelta(days=1, hours=1)

    rejected = told[story.an_id("d", "d3")]
    assert (rejected["reason"], rejected["control"]) == ("insufficient_buying_power", None)
    assert rejected["message"] == "insufficient buying power"
    assert (rejected["executions"], rejected["execution_status"]) == (1, "rejected")
    assert rejected["api_request"]["endpoint"] == "/v2/orders"

    ended = told[story.an_id("d", "ended")]
    assert (ended["filled_quantity"], ended["message"]) == (2, "the day was over")
    assert ended["failed_at"] == ENDED_AT + timedelta(hours=1)


def test_totals_group_by_reason_whatever_the_page(trades: Database) -> None:
    whole = report(trades)
    assert whole["totals"] == {
        "failed": 3,
        "reasons": {"blocked": 1, "expired": 1, "insufficient_buying_power": 1},
        "controls": {"buying_power": 1},
    }
    for limit in (1, 2, 3):
        told = told_by_pages(lambda *page: report(trades, *page), "failed", limit)
        assert told == whole["failed"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"symbol": "aapl"}, TIED),
        ({"symbol": "GE", "side": Side.BUY}, ["ended"]),
        ({"side": Side.SELL}, []),
        ({"strategy": INSIDER}, []),
        ({"reason": FailureReason.BLOCKED}, ["d2"]),
        ({"reason": FailureReason.WASH_TRADE}, []),
        ({"reason": FailureReason.EXPIRED, "symbol": "AAPL"}, []),
        ({"start": date(2020, 3, 3), "end": date(2020, 3, 3)}, TIED),
        ({"start": date(2020, 3, 4)}, ["ended"]),
        ({"end": date(2020, 3, 2)}, []),
    ],
    ids=lambda value: "-".join(str(v) for v in (value.values() if isinstance(value, dict) else [])),
)
def test_filters(trades: Database, chosen: dict[str, Any], expected: list[str]) -> None:
    answer = report(trades, **chosen)
    assert ids(answer) == named(expected)
    assert answer["totals"]["failed"] == sum(answer["totals"]["reasons"].values())
    assert answer["totals"]["failed"] == len(expected)


def test_what_never_was_is_told_from_what_did_not_fail(trades: Database) -> None:
    with pytest.raises(NotRecorded, match="ZZZZ"):
        report(trades, symbol="zzzz")
    with pytest.raises(UsageError, match=INSIDER):
        report(trades, strategy="Nonsense")


def test_people_with_their_own_sql_see_the_same(trades: Database) -> None:
    with trades.reader("tradetrail_compliance") as connection:
        found = connection.execute(
            "SELECT decision_id, failed_at, failure_reason, failure_control, limit_value, observed_value, "
            "failure_message, api_response FROM failed_trades ORDER BY failed_at DESC, decision_id DESC"
        ).fetchall()
        grouped = connection.execute(
            "SELECT failure_reason, sum(failures) FROM failure_reasons GROUP BY failure_reason"
        ).fetchall()
    keys = ("decision_id", "failed_at", "reason", "control", "limit", "observed", "message")
    answer = report(trades)
    assert found == [tuple(row[k] for k in (*keys, "api_response")) for row in answer["failed"]]
    assert dict(grouped) == answer["totals"]["reasons"]


def test_page_and_totals_are_read_by_index(trades: Database) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("symbol", "strategy", "side", "reason", "since", "until")
    )
    page = nothing | {"after_at": ENDED_AT, "after_id": "x", "rows_max": 3}
    with trades.reader() as connection:
        for query, arguments in (("failed_page", page), ("failed_totals", nothing)):
            plan = plan_of(connection, query, arguments)
            assert "trade_decisions_failed" in plan
            assert "Seq Scan" not in plan
