"""What the report on executed trades refuses, and what people see; its answers are tested on a real database."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.executed import print_executed_report
from tradetrail.errors import UsageError
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.executed import executed_report
from tradetrail.reports.paging import LIMIT_MAX

AT = datetime(2020, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chosen", "limit", "after"),
    [
        (TradeFilter(start=date(2020, 3, 2), end=date(2020, 3, 1)), 1, None),
        (TradeFilter(symbol="A B"), 1, None),
        (TradeFilter(strategy="a\x00"), 1, None),
        (TradeFilter(), 0, None),
        (TradeFilter(), LIMIT_MAX + 1, None),
        (TradeFilter(), 1, "yesterday~id"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_database_is_asked(
    chosen: TradeFilter, limit: int, after: str | None
) -> None:
    with pytest.raises(UsageError):
        executed_report(NoDatabase(), chosen, limit, after)


@pytest.mark.parametrize("width", [80, 160])
def test_people_see_what_was_bought_at_which_price(width: int) -> None:
    row: dict[str, Any] = {
        "decision_id": "3f0b7a52-6a3c-5e0e-9d0f-1f2e3d4c5b6a",
        "executed_at": AT,
        "symbol": "MSFT",
        "side": "buy",
        "quantity": Decimal(10),
        "filled_quantity": Decimal(4),
        "filled_price": Decimal("170.55"),
        "filled_value_usd": Decimal("682.2"),
        "strategy": "CongressionalTradingStrategy",
        "decision_status": "executing",
    }
    totals = {"executed": 1, "shares_bought": Decimal(4), "commission": None}
    out = io.StringIO()
    print_executed_report({"totals": totals, "executed": [row]}, Console(width=width, file=out))
    for word in ("2020-03-02 10:00", "MSFT", "170.55", "executing", row["decision_id"]):
        assert word in out.getvalue()
    assert "totals: executed 1, shares bought 4, commission -" in out.getvalue()
