"""The decision report's own rules; what the database answers is tested on a real one."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tests.no_database import NoDatabase
from tradetrail.cli.report.decision import print_decision_report
from tradetrail.errors import UsageError
from tradetrail.reports.decision import decision_report

AT = datetime(2020, 3, 2, 12, 0, tzinfo=UTC)
NOTHING = dict.fromkeys(
    (
        *("decision_id", "created_at", "strategy", "strategy_version", "symbol", "side"),
        *("quantity", "signal_strength", "confidence_score", "status", "made_by", "why"),
        *("reason", "control", "reason_text", "rationale"),
    )
)


@pytest.mark.parametrize("text", ["", "a\x00", "x" * 300])
def test_what_can_be_no_decisions_id_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="decision id"):
        decision_report(NoDatabase(), text)


def printed(decision: dict[str, Any], timeline: list[dict[str, Any]]) -> str:
    report = {
        "decision": NOTHING | {"outcome": "made"} | decision,
        "totals": {"executions": 0},
        "executions": [],
        "risk_checks": [],
        "lineage": {"records": [], "runs": []},
        "timeline": timeline,
    }
    out = io.StringIO()
    print_decision_report(report, Console(width=160, file=out))
    return out.getvalue()


def test_people_see_what_failed_and_the_time_between_steps() -> None:
    step = {
        "step_number": 2,
        "occurred_at": AT,
        "seconds_since_previous": Decimal("1.5"),
        "step": "order_blocked",
        "explanation": "[bold]too much[/]",
        "topic": "t",
        "partition": 0,
        "offset": 7,
    }
    text = printed(
        {
            "symbol": "MSFT",
            "reason": "blocked",
            "control": "buying_power",
            "reason_text": "723 USD is more than 100 USD",
            "made_by": "ann",
            "why": "index change",
            "rationale": {"rules": [{"rule": "strength", "passed": True, "value": Decimal(6)}]},
        },
        [step],
    )
    for word in (
        "blocked by buying_power: 723 USD is more than 100 USD",
        "ordered by ann: index change",
        "1.5 s",
        "t/0/7",
        "[bold]too much[/]",
        "2020-03-02 07:00",
        "executions: none",
    ):
        assert word in text


def test_a_decision_whose_event_nobody_could_read_is_shown_too() -> None:
    assert "-: - -, made" in printed({}, [])
