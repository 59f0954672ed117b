"""How positions add up from fills, and what people see; what the database answers is tested on a real one."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tradetrail.cli.report.portfolio import print_portfolio_report
from tradetrail.reports.portfolio import COLUMNS, positions_of

AT = datetime(2020, 3, 2, 12, 0, tzinfo=UTC)


def fills(*told: tuple[str, str, str | None]) -> list[dict[str, Any]]:
    return [
        {
            "symbol": "MSFT",
            "side": side,
            "quantity": Decimal(quantity),
            "price_usd": None if price is None else Decimal(price),
            "filled_at": AT,
        }
        for side, quantity, price in told
    ]


@pytest.mark.parametrize(
    ("told", "shares", "average", "cost"),
    [
        ([("buy", "10", "100")], "10", "100", "1000"),
        ([("buy", "10", "100"), ("buy", "10", "200")], "20", "150", "3000"),
        ([("buy", "10", "100"), ("sell", "4", "500")], "6", "100", "600"),
        ([("buy", "10", "100"), ("sell", "10", "1"), ("buy", "2", "7")], "2", "7", "14"),
        ([("buy", "3", "10"), ("buy", "0.5", "11")], "3.5", "10.142857143", "35.5"),
        ([("buy", "3", "10"), ("sell", "3", "11")], "0", None, None),
        ([("sell", "3", "10")], "-3", None, None),
        ([("sell", "3", "10"), ("buy", "5", "8")], "2", "8", "16"),
        ([("buy", "3", None)], "3", None, None),
        ([("buy", "3", None), ("buy", "1", "5")], "4", None, None),
        ([("buy", "3", None), ("sell", "3", "9"), ("buy", "1", "5")], "1", "5", "5"),
    ],
)
def test_a_buy_adds_its_cost_and_a_sell_takes_its_part(
    told: list[tuple[str, str, str | None]], shares: str, average: str | None, cost: str | None
) -> None:
    (position,) = positions_of(fills(*told))
    assert position["shares"] == Decimal(shares)
    expected = [None if text is None else Decimal(text) for text in (average, cost)]
    assert [position["average_cost_usd"], position["cost_usd"]] == expected
    assert position["orders_filled"] == len(told)
    assert set(position) <= set(COLUMNS)


def test_people_see_where_numbers_are_from_and_what_is_missing() -> None:
    report = {
        "broker": dict.fromkeys(("told_at", "cash_usd", "buying_power_usd", "portfolio_value_usd"))
        | {"told_at": AT, "cash_usd": Decimal("5000.10")},
        "positions": positions_of(fills(("buy", "10", "100"))),
        "open_orders": [],
        "totals": {"positions": 1},
        "missing": ["broker.buying_power_usd: the answer has no [number]"],
    }
    out = io.StringIO()
    print_portfolio_report(report, Console(width=160, file=out))
    for text in (
        "from the broker, as told 2020-03-02 07:00: cash 5000.1 USD, buying power - USD",
        "positions from our fills: 1",
        "open orders: none",
        "missing: broker.buying_power_usd: the answer has no [number]",
    ):
        assert text in out.getvalue()
