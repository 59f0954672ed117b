"""The report on unresolved orders: what it refuses, and what people see; the rest is tested on a real database."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.unresolved import print_unresolved_report
from tradetrail.errors import UsageError
from tradetrail.reports.paging import LIMIT_MAX
from tradetrail.reports.unresolved import UnresolvedFilter, settle_command, unresolved_report

AT = datetime(2020, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chosen", "limit", "after"),
    [
        (UnresolvedFilter(symbol="A B"), 1, None),
        (UnresolvedFilter(account="a\x00"), 1, None),
        (UnresolvedFilter(), 0, None),
        (UnresolvedFilter(), LIMIT_MAX + 1, None),
        (UnresolvedFilter(), 1, "yesterday~id"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_database_is_asked(
    chosen: UnresolvedFilter, limit: int, after: str | None
) -> None:
    with pytest.raises(UsageError):
        unresolved_report(NoDatabase(), chosen, limit, after)


@pytest.mark.parametrize("width", [80, 160])
def test_people_see_the_whole_command_that_settles_it(width: int) -> None:
    command = settle_command("3f0b7a52-6a3c-5e0e-9d0f-1f2e3d4c5b6a", "BRK.B")
    row: dict[str, Any] = {
        **dict.fromkeys(("account", "strategy", "decision_id", "attempt", "alpaca_order_id")),
        "symbol": "BRK.B",
        "side": "buy",
        "quantity": Decimal(7),
        "status": "unknown",
        "unresolved_since": AT,
        "made_by": "ann",
        "answers": 2,
        "newest_source": "lookup",
        "newest_at": AT,
        "broker_status": "not_found",
        "error_message": "no [order]",
        "client_order_id": "tt-1",
        "symbol_held": "BRK.B",
        "decisions_waiting": 3,
        "tried": [],
        "settle_command": command,
    }
    totals = {"unresolved": 1, "symbols_held": ["BRK.B"]}
    out = io.StringIO()
    print_unresolved_report(
        {"totals": totals, "unresolved": [row], "contradicted": []}, Console(width=width, file=out)
    )
    for text in (
        f"settle it: {command}\n",
        "unknown since 2020-03-02 07:00",
        "the broker says: not_found no [order]",
        "holds BRK.B: 3 decisions wait",
        "symbols held BRK.B",
    ):
        assert text in out.getvalue()


def test_people_see_that_there_is_none() -> None:
    out = io.StringIO()
    nothing: dict[str, Any] = {"unresolved": [], "contradicted": []}
    print_unresolved_report(
        nothing | {"totals": {"unresolved": 0, "symbols_held": []}}, Console(width=80, file=out)
    )
    assert "unresolved: none" in out.getvalue()
    assert "symbols held none" in out.getvalue()
