"""The report on people's acts: what it refuses, and what people see; the rest is tested on a real database."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.operator_acts import print_operator_acts_report
from tradetrail.errors import UsageError
from tradetrail.reports.operator_acts import ActFilter, operator_acts_report
from tradetrail.reports.paging import LIMIT_MAX

AT = datetime(2020, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chosen", "limit", "after"),
    [
        (ActFilter(start=date(2020, 3, 2), end=date(2020, 3, 1)), 1, None),
        (ActFilter(symbol="A B"), 1, None),
        (ActFilter(operator="a\x00"), 1, None),
        (ActFilter(), 0, None),
        (ActFilter(), LIMIT_MAX + 1, None),
        (ActFilter(), 1, "yesterday~id"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_database_is_asked(
    chosen: ActFilter, limit: int, after: str | None
) -> None:
    with pytest.raises(UsageError):
        operator_acts_report(NoDatabase(), chosen, limit, after)


@pytest.mark.parametrize("width", [80, 160])
def test_people_see_who_did_what_and_what_came_of_it(width: int) -> None:
    answer = {
        "service": "executor",
        "member_id": "m-1",
        "outcome": "acknowledged",
        "explanation": "nothing is in flight",
    }
    halt: dict[str, Any] = {
        "act_id": "3f0b7a52-6a3c-5e0e-9d0f-1f2e3d4c5b6a",
        "acted_at": AT,
        "act": "halt",
        "operator": "ann",
        "why": "[bold]odd prices[/]",
        "scope": "everything",
        "symbol": None,
        "answers": [answer],
    }
    report = {
        "totals": {"operator_acts": 2, "acts": {"halt": 1, "resume": 1}},
        "operator_acts": [halt, halt | {"act": "resume", "answers": []}],
    }
    out = io.StringIO()
    print_operator_acts_report(report, Console(width=width, file=out))
    for text in ("2020-03-02 07:00", "ann", "[bold]odd", "everything", "m-1", "none", "resume 1"):
        assert text in out.getvalue()
