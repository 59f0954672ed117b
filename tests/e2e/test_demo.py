"""The demo as a person runs it: the command, its output, and a recount of what it reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.recount import disclosures, prices
from tests.leftovers import processes_of
from tradetrail.sessions import new_york_date

TRADETRAIL = [str(Path(sys.executable).with_name("tradetrail"))]
START, END = date(2020, 1, 2), date(2020, 1, 16)
TIMEOUT_S = 600


def tradetrail(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRADETRAIL, *arguments],
        env={**os.environ, "TRADETRAIL_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def day_of(stamp: str) -> date:
    return new_york_date(datetime.fromisoformat(stamp))


@pytest.mark.stack
@pytest.mark.data
@pytest.mark.timeout(TIMEOUT_S)
def test_the_report_over_real_records_equals_a_recount(data_folder: Path, tmp_path: Path) -> None:
    span = ("--from", str(START), "--to", str(END))
    ran = tradetrail(
        *("demo", "--once", "--format", "json", "--data", str(data_folder), "--symbol", "MSFT"),
        *span,
        home=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    assert processes_of(tmp_path) == []
    report = json.loads(ran.stdout, parse_float=Decimal)
    rows = disclosures(data_folder, "MSFT", START, END)
    assert Counter(
        (d["politician"], d["transaction_type"], d["transaction_date"], d["disclosed_on"])
        for d in report["data_ingested"]
    ) == Counter(
        (r["Representative"], r["Transaction"], r["TransactionDate"], r["ReportDate"]) for r in rows
    )
    assert report["trades_executed"], "a report without trades proves little"
    assert_known_before_acting(report)
    assert_sized_from_recorded_context(report, prices(data_folder, "MSFT", "close"))
    assert_filled_at_the_open(report, prices(data_folder, "MSFT", "open"))
    assert_sums(report)
    assert_comes_out_again(report, tmp_path)


def assert_comes_out_again(report: dict[str, Any], home: Path) -> None:
    again = tradetrail("replay", "--format", "json", home=home)
    assert again.returncode == 0, again.stdout + again.stderr
    found = json.loads(again.stdout)
    assert found["differences"] == 0
    assert found["answers_compared"] > len(report["decisions_made"])
    assert sum(found["triggers_without_answer"].values()) == 0
    assert processes_of(home) == []


def assert_known_before_acting(report: dict[str, Any]) -> None:
    for decision in report["decisions_made"]:
        for record in decision["rationale"]["source_data"]["records"]:
            assert date.fromisoformat(record["reported_on"]) < day_of(decision["created_at"])


def assert_sized_from_recorded_context(report: dict[str, Any], closes: dict[date, Decimal]) -> None:
    for decision in report["decisions_made"]:
        context = decision["rationale"]["market_context"]
        value = Decimal(decision["rationale"]["portfolio_context"]["portfolio_value"])
        price = Decimal(context["current_price"])
        assert price == closes[day_of(context["price_as_of"])]
        if decision["side"] == "buy":
            assert decision["quantity"] == int(value * Decimal("0.01") / price)


def assert_filled_at_the_open(report: dict[str, Any], opens: dict[date, Decimal]) -> None:
    decided = {decision["decision_id"]: decision for decision in report["decisions_made"]}
    for trade in report["trades_executed"]:
        assert Decimal(str(trade["filled_avg_price"])) == opens[day_of(trade["filled_at"])]
        assert trade["quantity"] == decided[trade["decision_id"]]["quantity"]


def assert_sums(report: dict[str, Any]) -> None:
    decisions, sums = report["decisions_made"], report["summary"]
    executed = sum(d["status"] == "executed" for d in decisions)
    assert sums["decisions"]["total_signals"] == len(decisions)
    assert sums["decisions"]["executed"] == executed == sums["executions"]["total_trades"]
    assert sums["decisions"]["success_rate"] == round(Decimal(100 * executed) / len(decisions), 1)
    for side, key in (("buy", "shares_bought"), ("sell", "shares_sold")):
        shares = sum(t["quantity"] for t in report["trades_executed"] if t["side"] == side)
        assert sums["executions"][key] == shares


def test_a_folder_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    ran = tradetrail("demo", "--once", "--data", str(tmp_path), home=tmp_path / "home")
    assert ran.returncode == 2
    assert "congress_v1.jsonl" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("demonstrate",),
        ("demo", "--once", "--from", "2024-13-01"),
        ("demo", "--once", "--from", "2024-03-01", "--to", "2024-02-01"),
        ("demo", "--once", "--from", "2031-03-01", "--to", "2031-04-01"),
        ("report", "symbol"),
        ("ingest", "data_fetch:nonsense"),
    ],
)
def test_words_that_make_no_sense_end_with_exit_code_2(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ran = tradetrail(*arguments, home=tmp_path)
    assert ran.returncode == 2, ran.stderr
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr
