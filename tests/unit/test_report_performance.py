"""What the performance report refuses, and what people see; its answers are tested on a real database."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.performance import print_performance_report
from tradetrail.errors import UsageError
from tradetrail.reports.performance import PerformanceFilter, performance_report

COUNTS = {
    **dict.fromkeys(("declined", "blocked", "cancelled", "pending", "executing"), 0),
    "total_signals": 2,
    "executed": 1,
    "failed": 1,
    "success_rate": Decimal("50.00"),
}
STRATEGY = {"strategy_name": "CongressionalTradingStrategy", "strategy_version": "1.0.0"}


@pytest.mark.parametrize(
    "chosen",
    [
        PerformanceFilter(start=date(2020, 3, 2), end=date(2020, 3, 1)),
        PerformanceFilter(end=date(9999, 12, 31)),
        PerformanceFilter(strategy="a\x00"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_database_is_asked(
    chosen: PerformanceFilter,
) -> None:
    with pytest.raises(UsageError):
        performance_report(NoDatabase(), chosen)


def test_people_see_signals_and_fills_apart_and_whose_price_it_is() -> None:
    position = {
        "symbol": "MSFT",
        "net_shares": Decimal(10),
        "last_price": Decimal("170.55"),
        "priced_at": datetime(2020, 3, 2, 15, 0, tzinfo=UTC),
        "price_from": "fill",
        "net_worth_usd": Decimal("1705.5"),
    }
    fills: dict[str, Any] = {
        **STRATEGY,
        "trades": 1,
        "shares_bought": Decimal(10),
        "shares_sold": Decimal(0),
        "value_bought_usd": Decimal(1700),
        "value_sold_usd": Decimal(0),
        "net_worth_usd": Decimal("1705.5"),
        "gain_usd": Decimal("5.5"),
        "positions": [position],
    }
    out = io.StringIO()
    print_performance_report(
        {"performance": [STRATEGY | COUNTS], "totals": COUNTS, "fills": [fills]},
        Console(width=160, file=out),
    )
    signals, apart = out.getvalue().split("totals: ")
    assert "50.00" in signals
    assert "success rate 50.00" in apart
    assert "MSFT" not in signals
    for word in ("1705.5", "5.5", "170.55", "2020-03-02 10:00", "fill"):
        assert word in apart
