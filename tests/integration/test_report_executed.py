"""What executed, over rows as the auditor writes them: every kind of trade, filters, pages, and the same by SQL."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests import auditor_story as story
from tests.integration.auditor_harness import told_by_pages
from tests.integration.trade_rows import Database, plan_of
from tests.trades_story import DAY, ENDED_AT, INSIDER, LATE, PART_AT, TIED, named
from tradetrail.errors import NotRecorded, UsageError
from tradetrail.events.generated import Side
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.executed import COLUMNS, executed_report

pytestmark = pytest.mark.stack

# Each with when its last part filled.
NEWEST_FIRST = ["ended", "part", "late", "insider", "two", "ann", *TIED, "d4", "d1"]
FRIDAY, FIFTH = date(2020, 3, 6), date(2020, 3, 5)


def report(
    trades: Database, limit: int = 100, after: str | None = None, **chosen: Any
) -> dict[str, Any]:
    with trades.reader() as connection:
        return executed_report(connection, TradeFilter(**chosen), limit, after)


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["decision_id"] for row in answer["executed"]]


def test_every_trade_is_told_with_what_its_fills_add_up_to(trades: Database) -> None:
    answer = report(trades)
    assert list(answer) == ["period", "filters", "totals", "next", "executed"]
    assert all(tuple(row) == COLUMNS for row in answer["executed"])
    told = {row["decision_id"]: row for row in answer["executed"]}
    assert set(told) == set(named(NEWEST_FIRST))

    two = told[story.an_id("d", "two")]
    assert (two["filled_quantity"], two["filled_price"], two["filled_value_usd"]) == (10, 17, 170)
    assert two["alpaca_order_ids"] == ["broker-two-1", "broker-two-2"]
    assert two["execution_ids"] == [story.an_id("x", "two", 1), story.an_id("x", "two", 2)]
    assert (two["commission"], two["retry_count"]) == (Decimal("1.5"), 1)
    assert two["rationale"]["market_context"]["current_price"] == Decimal("72.33")

    d1 = told[story.an_id("d", "d1")]
    assert (d1["symbol"], d1["side"], d1["quantity"]) == ("AAPL", "buy", 10)
    assert d1["executed_at"] == story.BEGIN + timedelta(hours=2, seconds=3)
    assert d1["created_at"] == story.BEGIN + timedelta(minutes=6)
    ann = told[story.an_id("d", "ann")]
    assert (ann["strategy"], ann["made_by"], ann["why"]) == ("manual", "ann", "index change")


def test_a_part_that_filled_is_an_executed_trade_too(trades: Database) -> None:
    told = {row["decision_id"]: row for row in report(trades, symbol="GE")["executed"]}
    kept = {
        name: tuple(
            told[story.an_id("d", name)][key]
            for key in ("decision_status", "filled_quantity", "quantity", "executed_at")
        )
        for name in ("part", "ended")
    }
    assert kept == {
        "part": ("executing", 4, 10, PART_AT),
        "ended": ("failed", 2, 10, ENDED_AT),
    }


def test_newest_first_and_then_by_id(trades: Database) -> None:
    answer = report(trades)
    keys = [(row["executed_at"], row["decision_id"]) for row in answer["executed"]]
    assert keys == sorted(keys, reverse=True)
    assert ids(report(trades, symbol="MSFT")) == named(["late", *TIED])


def test_totals_count_all_that_the_filters_let_through(trades: Database) -> None:
    whole = report(trades)
    rows = whole["executed"]

    def total(side: str, key: str) -> Decimal:
        return sum((row[key] for row in rows if row["side"] == side), Decimal(0))

    assert whole["totals"] == {
        "executed": len(NEWEST_FIRST),
        "shares_bought": total("buy", "filled_quantity"),
        "shares_sold": total("sell", "filled_quantity"),
        "value_bought_usd": total("buy", "filled_value_usd"),
        "value_sold_usd": total("sell", "filled_value_usd"),
        "commission": Decimal("1.5"),
    }
    assert (whole["totals"]["shares_bought"], whole["totals"]["shares_sold"]) == (76, 20)
    for limit in (1, 2, 4, len(rows)):
        assert told_by_pages(lambda *page: report(trades, *page), "executed", limit) == rows


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"symbol": "aapl"}, ["d4", "d1"]),
        ({"symbol": "AAPL", "side": Side.SELL}, ["d4"]),
        ({"strategy": INSIDER}, ["insider"]),
        ({"strategy": "manual"}, ["ann"]),
        ({"strategy": INSIDER, "side": Side.SELL}, []),
        ({"start": FRIDAY, "end": FRIDAY}, ["late"]),
        ({"end": date(2020, 3, 2)}, ["d1"]),
        ({"start": date(2020, 3, 8)}, ["ended", "part"]),
        ({"start": date(2020, 3, 9), "end": date(2020, 3, 9), "side": Side.BUY}, ["ended"]),
        ({"start": date(2020, 3, 10)}, []),
        ({"symbol": "F", "start": FIFTH, "end": FIFTH}, ["two"]),
    ],
    ids=lambda value: "-".join(str(v) for v in (value.values() if isinstance(value, dict) else [])),
)
def test_filters(trades: Database, chosen: dict[str, Any], expected: list[str]) -> None:
    answer = report(trades, **chosen)
    assert ids(answer) == named(expected)
    assert answer["totals"]["executed"] == len(expected)
    shares = sum(row["filled_quantity"] for row in answer["executed"])
    assert answer["totals"]["shares_bought"] + answer["totals"]["shares_sold"] == shares


def test_what_never_was_is_told_from_what_did_not_execute(trades: Database) -> None:
    with pytest.raises(NotRecorded, match="ZZZZ"):
        report(trades, symbol="zzzz")
    with pytest.raises(UsageError, match=INSIDER):
        report(trades, strategy="Nonsense")


def test_people_with_their_own_sql_see_the_same(trades: Database) -> None:
    with trades.reader("tradetrail_compliance") as connection:
        found = connection.execute(
            "SELECT decision_id, executed_at, filled_quantity, filled_price, filled_value_usd, commission, "
            "execution_ids, decision_status FROM executed_trades ORDER BY executed_at DESC, decision_id DESC"
        ).fetchall()
    keys = ("decision_id", "executed_at", "filled_quantity", "filled_price", "filled_value_usd")
    told = report(trades)["executed"]
    assert found == [
        tuple(row[k] for k in (*keys, "commission", "execution_ids", "decision_status"))
        for row in told
    ]


def test_page_and_totals_are_read_by_index(trades: Database) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("symbol", "strategy", "side", "since", "until"))
    page = nothing | {"after_at": LATE + DAY, "after_id": "x", "rows_max": 3}
    with trades.reader() as connection:
        for query, arguments in (
            ("executed_page", page),
            ("executed_totals", nothing | {"since": LATE, "until": LATE + DAY}),
        ):
            plan = plan_of(connection, query, arguments)
            assert "trades_executed" in plan
            assert "Seq Scan" not in plan
