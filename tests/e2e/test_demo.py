"""The demo as a person runs it: the command, its output, and a recount of what it reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.recount import disclosures, prices
from tests.e2e.three_doors import Doors, picked, three_doors
from tests.leftovers import processes_of
from tradetrail.sessions import new_york_date
from tradetrail.stack.local import LocalStack

TRADETRAIL = [str(Path(sys.executable).with_name("tradetrail"))]
START, END = date(2020, 1, 2), date(2020, 1, 16)
TIMEOUT_S = 600
# The steps of a trail that are the decision's own; the others are of the runs and records it rests on.
OF_A_DECISION = ("decision_", "vendor_called", "order_")
Row = dict[str, Any]


def real_records(test: Any) -> Any:
    """Mark a test of the demo over real records."""
    for mark in (pytest.mark.stack, pytest.mark.data, pytest.mark.timeout(TIMEOUT_S)):
        test = mark(test)
    return test


def tradetrail(*arguments: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRADETRAIL, *arguments],
        env={**os.environ, "TRADETRAIL_HOME": str(home), **env},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def day_of(stamp: str) -> date:
    return new_york_date(datetime.fromisoformat(stamp))


@dataclass(frozen=True)
class Demo:
    """A demo that ran to its end over real records, and the report it printed."""

    home: Path
    records: Path
    report: Row


@pytest.fixture(scope="module")
def demo(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Return a demo of a desk that may not trade AAPL, so that something fails as well; nothing of it runs any more."""
    home = tmp_path_factory.mktemp("demo")
    ran = tradetrail(
        *("demo", "--once", "--format", "json", "--data", str(data_folder), "--symbol", "MSFT"),
        *("--from", str(START), "--to", str(END)),
        home=home,
        TRADETRAIL_EXECUTOR_RESTRICTED_SYMBOLS='["AAPL"]',
    )
    assert ran.returncode == 0, ran.stderr
    assert processes_of(home) == []
    return Demo(home, data_folder, json.loads(ran.stdout, parse_float=Decimal))


@real_records
def test_the_report_over_real_records_equals_a_recount(demo: Demo) -> None:
    report, data_folder = demo.report, demo.records
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
    assert_comes_out_again(report, demo.home)


def assert_comes_out_again(report: Row, home: Path) -> None:
    again = tradetrail("replay", "--format", "json", home=home)
    assert again.returncode == 0, again.stdout + again.stderr
    found = json.loads(again.stdout)
    assert found["differences"] == 0
    assert found["answers_compared"] > len(report["decisions_made"])
    assert sum(found["triggers_without_answer"].values()) == 0
    assert processes_of(home) == []


def assert_known_before_acting(report: Row) -> None:
    for decision in report["decisions_made"]:
        for record in decision["rationale"]["source_data"]["records"]:
            assert date.fromisoformat(record["reported_on"]) < day_of(decision["created_at"])


def assert_sized_from_recorded_context(report: Row, closes: dict[date, Decimal]) -> None:
    for decision in report["decisions_made"]:
        context = decision["rationale"]["market_context"]
        value = Decimal(decision["rationale"]["portfolio_context"]["portfolio_value"])
        price = Decimal(context["current_price"])
        assert price == closes[day_of(context["price_as_of"])]
        if decision["side"] == "buy":
            assert decision["quantity"] == int(value * Decimal("0.01") / price)


def assert_filled_at_the_open(report: Row, opens: dict[date, Decimal]) -> None:
    decided = {decision["decision_id"]: decision for decision in report["decisions_made"]}
    for trade in report["trades_executed"]:
        assert Decimal(str(trade["filled_avg_price"])) == opens[day_of(trade["filled_at"])]
        assert trade["quantity"] == decided[trade["decision_id"]]["quantity"]


def assert_sums(report: Row) -> None:
    decisions, sums = report["decisions_made"], report["summary"]
    executed = sum(d["status"] == "executed" for d in decisions)
    assert sums["decisions"]["total_signals"] == len(decisions)
    assert sums["decisions"]["executed"] == executed == sums["executions"]["total_trades"]
    assert sums["decisions"]["success_rate"] == round(Decimal(100 * executed) / len(decisions), 1)
    for side, key in (("buy", "shares_bought"), ("sell", "shares_sold")):
        shares = sum(t["quantity"] for t in report["trades_executed"] if t["side"] == side)
        assert sums["executions"][key] == shares


@pytest.fixture(scope="module")
def doors(demo: Demo) -> Iterator[Doors]:
    """Return the doors to the demo's database; nothing else of the demo runs."""
    with (
        LocalStack(demo.home / "demo", parts=("postgres",)) as stack,
        three_doors(stack.addresses.postgres_dsn, demo.home) as doors,
    ):
        yield doors


@real_records
def test_what_executed(doors: Doors) -> None:
    told = doors.ask("executed", "executed")
    keys = ("decision_id", "symbol", "side", "filled_quantity", "filled_price", "executed_at")
    rows = doors.sql("SELECT * FROM executed_trades")
    assert picked(rows, *keys, "rationale") == picked(told["executed"], *keys, "rationale")
    filled = {
        event.fields["decision_id"]: event.fields["filled_qty_total"]
        for event in doors.log("OrderUpdated")
        if event.fields["status"] == "filled"
    }
    assert {row["decision_id"]: row["filled_quantity"] for row in told["executed"]} == filled
    assert told["totals"]["executed"] == len(filled) > 1


@real_records
def test_what_failed_and_why(doors: Doors) -> None:
    told = doors.ask("failed", "failed")
    rows = doors.sql(
        "SELECT *, failure_reason AS reason, failure_control AS control FROM failed_trades"
    )
    keys = ("decision_id", "symbol", "failed_at", "reason", "control")
    assert picked(rows, *keys) == picked(told["failed"], *keys)
    groups = doors.sql(
        "SELECT failure_reason, sum(failures) AS count FROM failure_reasons GROUP BY 1"
    )
    assert {row["failure_reason"]: row["count"] for row in groups} == told["totals"]["reasons"]
    blocked = [event.fields["decision_id"] for event in doors.log("OrderBlocked")]
    assert sorted(row["decision_id"] for row in told["failed"]) == sorted(blocked)
    assert told["totals"]["controls"] == {"restricted_list": len(blocked)}


@real_records
@pytest.mark.parametrize("became", ["executed", "failed"])
def test_the_full_trail_of_one_trade(doors: Doors, became: str) -> None:
    decision_id = doors.ask(became, became)[became][0]["decision_id"]
    told = doors.ask(f"decision {decision_id}", f"decision/{decision_id}")
    rows = doors.sql(
        "SELECT step_number, step, occurred_at, extract(epoch FROM since_previous) AS seconds_since_previous, "
        "explanation, event_id FROM decision_audit_trail WHERE decision_id = %s",
        decision_id,
    )
    keys = (
        "step_number",
        "step",
        "occurred_at",
        "seconds_since_previous",
        "explanation",
        "event_id",
    )
    assert picked(rows, *keys) == picked(told["timeline"], *keys)
    kinds = ("DecisionMade", "ApiCallRecorded", "OrderSubmitting", "OrderUpdated", "OrderBlocked")
    own = {e.fields["event_id"] for e in doors.log(*kinds) if e.fields["story_id"] == decision_id}
    steps = [step for step in told["timeline"] if step["step"].startswith(OF_A_DECISION)]
    assert sorted(own) == sorted(step["event_id"] for step in steps)


@real_records
def test_strategy_quality_apart_from_execution_failures(doors: Doors) -> None:
    told = doors.ask("performance", "performance")["performance"]
    keys = ("strategy_name", "strategy_version", "total_signals", "declined", "executed")
    more = ("failed", "blocked", "success_rate")
    rows = doors.sql("SELECT * FROM strategy_performance")
    assert picked(rows, *keys, *more) == picked(told, *keys, *more)
    for kind, key in (("DecisionMade", "total_signals"), ("DecisionDeclined", "declined")):
        counted = Counter(event.fields["strategy_name"] for event in doors.log(kind))
        assert {row["strategy_name"]: row[key] for row in told if row[key]} == counted


@real_records
def test_all_activity_of_a_symbol_in_a_year(doors: Doors) -> None:
    told = doors.ask(
        "symbol MSFT --from 2020-01-01 --to 2020-12-31",
        "symbol/MSFT?from=2020-01-01&to=2020-12-31",
    )
    rows = doors.sql(
        "SELECT activity, count(*) FROM symbol_activity WHERE symbol = 'MSFT' "
        "AND occurred_at >= '2020-01-01 America/New_York' AND occurred_at < '2021-01-01 America/New_York' "
        "GROUP BY activity"
    )
    counted = {row["activity"]: row["count"] for row in rows}
    for section, activity, kind in (
        ("data_ingested", "data_ingested", "DisclosureRecorded"),
        ("decisions_made", "decision_made", "DecisionMade"),
        ("declined", "decision_declined", "DecisionDeclined"),
    ):
        own = [event for event in doors.log(kind) if event.fields["symbol"] == "MSFT"]
        assert len(told[section]) == counted.get(activity, 0) == len(own), section
    assert len(told["trades_executed"]) == counted["order_filled"] > 0


@real_records
@pytest.mark.parametrize("outcome", ["executed", "declined"])
def test_what_data_we_had_at_decision_time(doors: Doors, outcome: str) -> None:
    row = doors.ask(f"{outcome} --symbol MSFT", f"{outcome}?symbol=MSFT")[outcome][0]
    decision_id = row["decision_id"]
    told = doors.ask(f"known-at {decision_id}", f"known-at/{decision_id}")
    rows = doors.sql("SELECT * FROM known_at_decision WHERE decision_id = %s", decision_id)
    keys = ("record_id", "version", "standing", "topic", "partition", "offset")
    assert picked(rows, *keys) == picked(told["records"], *keys)
    view = told["view"]
    visible = {
        event.offset
        for event in doors.log("DisclosureRecorded")
        if event.fields["symbol"] == "MSFT" and event.offset <= view["view_through"]
    }
    assert {record["offset"] for record in told["records"]} == visible
    assert visible


@real_records
def test_why_we_did_not_trade_it(doors: Doors) -> None:
    told = doors.ask("declined --limit 10000", "declined?limit=10000")
    rows = doors.sql("SELECT * FROM declined_decisions_explained")
    keys = ("decision_id", "declined_at", "symbol", "strategy", "reason", "reason_text")
    assert picked(rows, *keys) == picked(told["declined"], *keys)
    own = Counter(event.fields["reason"] for event in doors.log("DecisionDeclined"))
    assert told["totals"]["reasons"] == own
    assert len(own) > 1


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
