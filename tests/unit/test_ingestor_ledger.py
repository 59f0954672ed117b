"""New, changed or known: the rule by which a row becomes a record's version."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.known.ledger import Ledger, Verdict, identity_of, known_of
from services.ingestor.rows.records import FetchedRow, Record, congress_records
from tests.contract.quiver_server import congress_row
from tradetrail.events.generated import RecordChange

SOURCE = "quiverquant_congress"
START, END = date(2024, 1, 1), date(2024, 12, 31)


def rows(*changes: dict[str, Any]) -> list[Record]:
    fetched = [congress_row("2024-01-10", **change).fields for change in changes]
    return congress_records([FetchedRow("call", n, row) for n, row in enumerate(fetched)])


def keep(ledger: Ledger, verdicts: list[Verdict]) -> list[Verdict]:
    for verdict in verdicts:
        ledger.take(
            known_of(
                verdict.record_id,
                verdict.version,
                verdict.record.content_hash,
                identity_of(verdict.record),
                verdict.record.symbol,
            )
        )
    return verdicts


def judged(ledger: Ledger, *changes: dict[str, Any]) -> list[Verdict]:
    return keep(ledger, ledger.judge(rows(*changes), START, END))


def test_a_known_row_says_nothing_new() -> None:
    ledger = Ledger(SOURCE)
    assert [v.change for v in judged(ledger, {}, {})] == [RecordChange.CREATED] * 2
    assert judged(ledger, {}, {"ExcessReturn": 4.0}) == []


def test_one_more_equal_row_is_one_more_record() -> None:
    ledger = Ledger(SOURCE)
    judged(ledger, {})
    assert [v.change for v in judged(ledger, {}, {})] == [RecordChange.CREATED]


def test_a_corrected_amount_is_the_next_version_of_the_same_record() -> None:
    ledger = Ledger(SOURCE)
    first = judged(ledger, {}, {"Ticker": "MSFT", "Description": "Microsoft"})
    corrected = {"Range": "$15,001 - $50,000", "Amount": "15001.0"}
    (second,) = judged(ledger, corrected, {"Ticker": "MSFT", "Description": "Microsoft"})
    assert second.change is RecordChange.UPDATED
    assert second.version == 2
    assert second.changed_fields == ("Amount", "Range")
    assert second.record_id in {v.record_id for v in first}
    assert judged(ledger, corrected, {"Ticker": "MSFT", "Description": "Microsoft"}) == []


def test_a_corrected_ticker_or_day_is_the_next_version() -> None:
    ledger = Ledger(SOURCE)
    judged(ledger, {"Ticker": "--"})
    (second,) = judged(ledger, {"Ticker": "AAPL"})
    assert (second.version, second.changed_fields) == (2, ("Ticker",))
    (third,) = judged(ledger, {"Ticker": "AAPL", "TransactionDate": "2024-01-03"})
    assert (third.version, third.changed_fields) == (3, ("TransactionDate",))


def test_a_different_trade_in_place_of_a_vanished_one_is_a_new_record() -> None:
    ledger = Ledger(SOURCE)
    judged(ledger, {})
    other = {"Ticker": "MSFT", "Description": "Microsoft", "TransactionDate": "2023-12-20"}
    assert [v.change for v in judged(ledger, other)] == [RecordChange.CREATED]


def test_a_row_is_no_correction_while_its_like_is_still_there() -> None:
    ledger = Ledger(SOURCE)
    judged(ledger, {})
    (new,) = judged(ledger, {}, {"Range": "$15,001 - $50,000"})
    assert new.change is RecordChange.CREATED


def test_a_record_outside_the_fetched_days_is_not_taken_for_vanished() -> None:
    ledger = Ledger(SOURCE)
    judged(ledger, {})
    later = congress_row("2024-02-10", Range="$15,001 - $50,000").fields
    records = congress_records([FetchedRow("call", 0, later)])
    (new,) = ledger.judge(records, date(2024, 2, 1), END)
    assert new.change is RecordChange.CREATED


@pytest.mark.parametrize("has_undated", [False, True])
def test_a_record_without_a_day_is_corrected_only_by_an_answer_that_would_hold_it(
    has_undated: bool,
) -> None:
    ledger = Ledger(SOURCE)
    judged(ledger, {"ReportDate": None})
    (verdict,) = ledger.judge(
        rows({"ReportDate": "2024-02-10"}), START, END, has_undated=has_undated
    )
    assert verdict.change is (RecordChange.UPDATED if has_undated else RecordChange.CREATED)


def test_a_correction_that_is_taken_back_is_another_version() -> None:
    ledger = Ledger(SOURCE)
    first = judged(ledger, {})[0]
    judged(ledger, {"Transaction": "Sale (Full)"})
    (third,) = judged(ledger, {})
    assert (third.record_id, third.version) == (first.record_id, 3)


def test_a_new_row_like_a_records_first_version_is_a_record_of_its_own() -> None:
    ledger = Ledger(SOURCE)
    judged(ledger, {})
    corrected = {"Transaction": "Sale (Full)"}
    judged(ledger, corrected)
    (new,) = judged(ledger, corrected, {})
    assert new.change is RecordChange.CREATED
    assert len(ledger) == 2


def test_of_several_candidates_the_most_alike_is_taken() -> None:
    ledger = Ledger(SOURCE)
    near = {"Description": "Apple", "Range": "$15,001 - $50,000"}
    far = {"Description": "Apple", "TransactionDate": "2023-12-01"}
    judged(ledger, near, far)
    (second,) = judged(ledger, near | {"Range": "$50,001 - $100,000"}, far)
    assert second.changed_fields == ("Range",)


TRICKY = ('"person":"X"', '{"person":', "\\", '\\"person":', "\u2028", "}", "\ud800")


@given(
    st.sampled_from(TRICKY) | st.text(max_size=20), st.sampled_from(TRICKY) | st.text(max_size=20)
)
def test_a_state_entry_tells_whose_record_it_is_whatever_the_row_said(name: str, note: str) -> None:
    (record,) = rows({"BioGuideID": None, "Representative": name, "Description": note})
    known = known_of("id", 1, record.content_hash, identity_of(record), record.symbol)
    assert known.person_key == record.person_key
    assert known.reported_on == record.reported_on
    assert known.content == record.content


@pytest.mark.parametrize(
    "identity", ["", "null", "{}", '{"person":1', 'x"person":"E1"}', '{"a":0,"person":"E1"}']
)
def test_what_is_no_identity_is_refused(identity: str) -> None:
    with pytest.raises(ValueError):
        known_of("id", 1, "hash", identity, None)


@given(st.lists(st.sampled_from(range(6)), max_size=12), st.randoms())
def test_the_order_of_rows_does_not_matter(kinds: list[int], order: random.Random) -> None:
    changes = [{"Description": str(kind), "Range": "$1,001 - $15,000"} for kind in kinds]
    shuffled = list(changes)
    order.shuffle(shuffled)
    one, two = Ledger(SOURCE), Ledger(SOURCE)
    first = judged(one, *changes)
    assert {v.record_id for v in first} == {v.record_id for v in judged(two, *shuffled)}
    assert len({v.record_id for v in first}) == len(changes)
    assert judged(one, *shuffled) == []
