"""How strategies fared, over rows as the auditor writes them; and apart from that, what their fills are worth."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.trade_rows import Database, plan_of
from tests.trades_story import CONGRESS, DAY, ENDED_AT, INSIDER, LATE, SEEN_AT
from tradetrail.errors import UsageError
from tradetrail.reports.performance import (
    PerformanceFilter,
    performance_report,
    performance_sheet,
)

pytestmark = pytest.mark.stack

_COUNTS = ("total_signals", "declined", "executed", "failed", "blocked")
_OTHERS = ("cancelled", "pending", "executing")


def report(trades: Database, **chosen: Any) -> dict[str, Any]:
    with trades.reader() as connection:
        return performance_report(connection, PerformanceFilter(**chosen))


def counts(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in (*_COUNTS, *_OTHERS))


def test_signals_are_counted_by_what_became_of_them(trades: Database) -> None:
    answer = report(trades)
    assert list(answer) == ["period", "filters", "totals", "performance", "fills"]
    assert list(answer["performance"][0]) == [
        *("strategy_name", "strategy_version", *_COUNTS, *_OTHERS, "success_rate")
    ]
    fared = {
        (row["strategy_name"], row["strategy_version"]): (counts(row), str(row["success_rate"]))
        for row in answer["performance"]
    }
    assert fared == {
        (CONGRESS, "1.0.0"): ((13, 1, 7, 3, 1, 1, 0, 2), "53.85"),
        (INSIDER, "2.0.0"): ((1, 0, 1, 0, 0, 0, 0, 0), "100.00"),
        ("manual", "1.0.0"): ((1, 0, 1, 0, 0, 0, 0, 0), "100.00"),
    }
    assert counts(answer["totals"]) == (15, 1, 9, 3, 1, 1, 0, 2)
    assert str(answer["totals"]["success_rate"]) == "60.00"


def test_the_fills_are_worth_what_the_last_price_says(trades: Database) -> None:
    (fills,) = report(trades, strategy=CONGRESS)["fills"]
    held = fills.pop("positions")
    assert fills == {
        "strategy_name": CONGRESS,
        "strategy_version": "1.0.0",
        "trades": 9,
        "shares_bought": 56,
        "shares_sold": 20,
        "value_bought_usd": 3130,
        "value_sold_usd": 1721,
        "commission": Decimal("1.5"),
        "net_worth_usd": 2328,
        "gain_usd": 1721 + 2328 - 3130,
    }
    # What was sold again is not held. The price is a fill's, or newer and what a later decision saw.
    assert [tuple(position.values()) for position in held] == [
        ("F", 10, 25, SEEN_AT, "market_context", 250),
        ("GE", 6, 13, ENDED_AT, "fill", 78),
        ("MSFT", 20, 100, LATE, "fill", 2000),
    ]


def test_a_period_counts_when_signals_were_answered(trades: Database) -> None:
    answer = report(trades, start=date(2020, 3, 9))
    (row,) = answer["performance"]
    assert counts(row) == (2, 0, 0, 1, 0, 1, 0, 0)
    assert str(row["success_rate"]) == "0.00"
    (fills,) = answer["fills"]
    assert (fills["shares_bought"], fills["net_worth_usd"]) == (2, 26)
    none = report(trades, end=date(2020, 3, 1))
    assert (none["performance"], none["fills"]) == ([], [])
    assert none["totals"]["success_rate"] is None
    with pytest.raises(UsageError, match=INSIDER):
        report(trades, strategy="Nonsense")


def test_people_with_their_own_sql_see_the_same(trades: Database) -> None:
    with trades.reader("tradetrail_compliance") as connection:
        found = connection.execute(
            "SELECT strategy_name, strategy_version, total_signals, declined, executed, failed, blocked, cancelled, "
            "pending, executing, success_rate FROM strategy_performance ORDER BY strategy_name, strategy_version"
        ).fetchall()
        moved = connection.execute(
            "SELECT strategy_name, count(*), sum(filled_quantity) FILTER (WHERE side = 'buy'), "
            "sum(filled_value_usd) FILTER (WHERE side = 'buy') FROM executed_trades GROUP BY 1 ORDER BY 1"
        ).fetchall()
    answer = report(trades)
    assert found == [tuple(row.values()) for row in answer["performance"]]
    keys = ("strategy_name", "trades", "shares_bought", "value_bought_usd")
    assert moved == [tuple(row[key] for key in keys) for row in answer["fills"]]


def test_the_flat_form_keeps_signals_and_fills_apart(trades: Database) -> None:
    sheet = list(performance_sheet(report(trades)).rows)
    assert [row["section"] for row in sheet] == ["performance"] * 3 + ["fills"] * 3


def test_a_period_is_read_by_index(trades: Database) -> None:
    asked = {"strategy": None, "since": LATE, "until": LATE + DAY}
    with trades.reader() as connection:
        plan = plan_of(connection, "performance", asked)
        assert "trade_decisions_made" in plan
        assert "declined_decisions_listed" in plan
        assert "Seq Scan" not in plan
        plan = plan_of(
            connection, "performance_fills", asked | {"until": LATE + timedelta(hours=1)}
        )
        for index in ("trades_decided", "trade_executions_symbol"):
            assert index in plan
        assert "Seq Scan" not in plan
