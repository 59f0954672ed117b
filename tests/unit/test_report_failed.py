"""What the report on failures refuses, and what people see; its answers are tested on a real database."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.failed import print_failed_report
from tradetrail.errors import UsageError
from tradetrail.reports.failed import FailedFilter, failed_report
from tradetrail.reports.paging import LIMIT_MAX

AT = datetime(2020, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chosen", "limit", "after"),
    [
        (FailedFilter(start=date(2020, 3, 2), end=date(2020, 3, 1)), 1, None),
        (FailedFilter(symbol="A B"), 1, None),
        (FailedFilter(strategy="a\x00"), 1, None),
        (FailedFilter(), LIMIT_MAX + 1, None),
        (FailedFilter(), 1, "yesterday~id"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_database_is_asked(
    chosen: FailedFilter, limit: int, after: str | None
) -> None:
    with pytest.raises(UsageError):
        failed_report(NoDatabase(), chosen, limit, after)


@pytest.mark.parametrize("width", [80, 160])
def test_people_see_the_reason_and_the_words_behind_it(width: int) -> None:
    row: dict[str, Any] = {
        "decision_id": "3f0b7a52-6a3c-5e0e-9d0f-1f2e3d4c5b6a",
        "failed_at": AT,
        "symbol": "MSFT",
        "side": "buy",
        "quantity": Decimal(10),
        "strategy": "CongressionalTradingStrategy",
        "reason": "blocked",
        "control": "buying_power",
        "limit": Decimal(100),
        "observed": Decimal(723),
        "message": "723 is [bold]more[/] than 100",
    }
    totals = {"failed": 1, "reasons": {"blocked": 1}, "controls": {"buying_power": 1}}
    out = io.StringIO()
    print_failed_report({"totals": totals, "failed": [row]}, Console(width=width, file=out))
    for word in ("2020-03-02 10:00", "MSFT", "buying_power", "[bold]", row["decision_id"]):
        assert word in out.getvalue()
    assert "totals: failed 1, blocked 1" in out.getvalue()
    assert "blocked by: buying power 1" in out.getvalue()
