"""The declined report's own rules; what the database answers is tested on a real one."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.declined import print_declined_report
from tradetrail.errors import UsageError
from tradetrail.reports.declined import DeclinedFilter, declined_report
from tradetrail.reports.known_at import known_at_report
from tradetrail.reports.paging import LIMIT_MAX

AT = datetime(2020, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chosen", "limit", "after"),
    [
        (DeclinedFilter(start=date(2020, 3, 2), end=date(2020, 3, 1)), 1, None),
        (DeclinedFilter(symbol="A B"), 1, None),
        (DeclinedFilter(symbol=""), 1, None),
        (DeclinedFilter(strategy="a\x00"), 1, None),
        (DeclinedFilter(), 0, None),
        (DeclinedFilter(), LIMIT_MAX + 1, None),
        (DeclinedFilter(), 1, "yesterday~id"),
        (DeclinedFilter(), 1, "2020-03-02T12:00:00Z"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_database_is_asked(
    chosen: DeclinedFilter, limit: int, after: str | None
) -> None:
    with pytest.raises(UsageError):
        declined_report(NoDatabase(), chosen, limit, after)


@pytest.mark.parametrize("text", ["", "a\x00", "x" * 300])
def test_what_can_be_no_decisions_id_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="decision id"):
        known_at_report(NoDatabase(), text)


@pytest.mark.parametrize("width", [80, 160])
def test_people_see_the_reason_and_the_rules_that_spoke_against(width: int) -> None:
    rule: dict[str, Any] = {"value": 2, "threshold": 5}
    signal = {
        "decision_id": "3f0b7a52-6a3c-5e0e-9d0f-1f2e3d4c5b6a",
        "declined_at": AT,
        "symbol": "MSFT",
        "strategy": "CongressionalTradingStrategy",
        "side": None,
        "reason": "below_threshold",
        "reason_text": "strength 2 is [bold]below[/] 5",
        "rules": [
            {**rule, "rule": "direction", "passed": True, "explanation": "heavier"},
            {**rule, "rule": "strength", "passed": False, "explanation": "too weak"},
        ],
    }
    report = {
        "totals": {"declined": 1, "reasons": {"below_threshold": 1}},
        "activity": {"statement": "1 disclosure of MSFT came in the period."},
        "declined": [signal],
    }
    out = io.StringIO()
    print_declined_report(report, Console(width=width, file=out))
    text = out.getvalue()
    assert "2020-03-02 07:00" in text
    assert "MSFT" in text
    assert "too weak" in text
    assert "heavier" not in text
    assert "[bold]" in text
    assert "1 disclosure of MSFT came in the period." in text
