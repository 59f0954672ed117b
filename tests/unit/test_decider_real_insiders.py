"""The insider strategy over every real row, and a recount of what it must have seen, from the file alone."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.decider.signals.insider_trades import is_open_market
from services.decider.strategies.insider import CorporateInsiderStrategy, InsiderSettings
from tests.unit.insider_walk import Answer, Filed, filed_of, walk
from tradetrail.events.generated import DeclineReason

pytestmark = pytest.mark.data
STRATEGY = CorporateInsiderStrategy(InsiderSettings())
Rows = list[dict[str, Any]]
# What people type where there is no ticker.
NONE = {"NONE", "NAN", "NA"}


@pytest.fixture(scope="module")
def rows(data_folder: Path) -> Rows:
    with gzip.open(data_folder / "insiders.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [
            {k: v for k, v in json.loads(line).items() if not k.startswith("_")} for line in lines
        ]


@pytest.fixture(scope="module")
def filed(rows: Rows) -> Filed:
    return filed_of(rows)


@pytest.fixture(scope="module")
def answers(filed: Filed) -> list[Answer]:
    return walk(STRATEGY, filed)


def _plain_usable(row: dict[str, Any]) -> bool:
    """Tell by the row alone whether it is an open-market trade that can be believed."""
    if row["TransactionCode"] not in ("P", "S") or not row["PricePerShare"] or not row["Shares"]:
        return False
    traded, reported = (date.fromisoformat(row[name][:10]) for name in ("Date", "fileDate"))
    return row["PricePerShare"] <= 10_000 and traded <= reported and traded.weekday() < 5


def test_usable_rows_equal_a_recount(rows: Rows, filed: Filed) -> None:
    used = Counter(
        d.transaction_type
        for days in filed.values()
        for day in days.values()
        for d in day
        if is_open_market(d)
    )
    # The ticker is the ingestor's to read, and has its own tests: here its plain forms only.
    plain = [r for r in rows if r["Ticker"].replace(".", "").isalpha() and r["Ticker"] not in NONE]
    counted = Counter(r["TransactionCode"] for r in plain if _plain_usable(r))
    assert used == counted
    assert used["P"] > 500, "a recount of little proves little"
    grants = Counter(r["AcquiredDisposedCode"] for r in rows)["A"]
    assert used["P"] * 10 < grants, "AcquiredDisposedCode A would have made them purchases"


def test_every_row_that_arrives_is_answered_once(answers: list[Answer], filed: Filed) -> None:
    assert len(answers) == sum(len(days) for days in filed.values())
    reasons = Counter(answer.signal.decline for answer in answers)
    mornings = sum(
        any(is_open_market(d) for d in day) for ds in filed.values() for day in ds.values()
    )
    assert len(answers) - reasons[DeclineReason.NO_SIGNAL] == mornings


def test_signals_are_few_and_their_strength_comes_out_of_a_recount(answers: list[Answer]) -> None:
    signals = [answer for answer in answers if answer.signal.decline is None]
    sides = Counter(str(answer.signal.side) for answer in signals)
    assert 50 < sides["buy"] < 400
    assert 0 < sides["sell"] < sides["buy"]
    for answer in signals:
        people = _people(answer, "P" if str(answer.signal.side) == "buy" else "S")
        count = next(rule.value for rule in answer.signal.rules if rule.rule == "cluster")
        assert count is not None
        # At most: trades under the least value, and those another owner files as well, count for nobody.
        assert 1 <= count <= len(people)
        assert answer.signal.consensus is (count >= 2)
        assert Decimal(3) <= answer.signal.strength <= 10


def _people(answer: Answer, code: str) -> set[str]:
    since = answer.day + timedelta(days=1) - timedelta(days=30)
    return {
        d.person.casefold()
        for d in answer.view.disclosures
        if d.transaction_type == code and d.reported_on and d.reported_on >= since
    }


def test_no_record_sets_off_two_trades(answers: list[Answer]) -> None:
    acting = Counter(
        d.record_id
        for answer in answers
        if answer.signal.decline is None
        for d in answer.signal.used
        if d.run_id == f"run of {answer.day}"
    )
    assert set(acting.values()) == {1}
