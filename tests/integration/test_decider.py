"""The decider on a real log and a simulated Alpaca: every trigger one answer, exactly once, from its view alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import requests

from simulators.world import CongressRow
from tests.contract.quiver_server import SmallWorld, congress_row, quiver
from tests.eventually import eventually
from tests.integration.decider_harness import Decider, launch, running_decider, simulated_alpaca
from tests.integration.disclosed import Row, morning, publish, run_events
from tests.integration.ingestor_harness import ingestor
from tradetrail.events.generated import (
    ApiCallRecorded,
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    Direction,
    DisclosureRecorded,
    Side,
)
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack
DAY = date(2024, 2, 5)
TWO = (Row("Ann"), Row("Bob"))


@pytest.fixture
def alpaca() -> Iterator[str]:
    with simulated_alpaca() as url:
        yield url


@pytest.fixture
def decider(log: SharedSettings, alpaca: str) -> Iterator[Decider]:
    with running_decider(log, alpaca) as running:
        yield running


def test_two_members_buying_make_a_decision_with_all_that_led_to_it(decider: Decider) -> None:
    landed = publish(decider.log, run_events("AAPL", "run-1", morning(DAY), TWO))
    (made,) = decider.answers("AAPL", 1)
    assert isinstance(made, DecisionMade)
    assert made.view_through == landed[-1][2]
    assert (made.side, made.batch_id) == (Side.BUY, "run-1")
    market, portfolio = made.rationale.market_context, made.rationale.portfolio_context
    assert market is not None
    assert portfolio is not None
    assert made.quantity == (portfolio.portfolio_value * Decimal("0.01")) // market.current_price
    assert [r.offset for r in made.rationale.source_data.records] == [landed[0][2], landed[1][2]]
    assert [run.run_id for run in made.rationale.data_lineage.ingestion_runs] == ["run-1"]
    calls = [e for e in decider.events("AAPL") if isinstance(e, ApiCallRecorded)]
    named = {*market.api_call_ids, *portfolio.api_call_ids}
    assert {call.call_id for call in calls} == named == set(made.api_call_ids)
    assert {call.decision_id for call in calls} == {made.decision_id}


def test_a_sell_without_a_position_is_declined(decider: Decider) -> None:
    rows = [Row("Ann", Direction.SELL), Row("Bob", Direction.SELL)]
    publish(decider.log, run_events("MSFT", "run-1", morning(DAY), rows))
    (declined,) = decider.answers("MSFT", 1)
    assert isinstance(declined, DecisionDeclined)
    assert declined.reason is DeclineReason.NO_POSITION


def test_a_burst_of_signals_fits_a_rate_limit_and_symbols_without_prices_are_declined(
    decider: Decider, alpaca: str
) -> None:
    # Three calls each would be 120; the wait for contexts is shorter than the minute to the limit's reset.
    requests.post(f"{alpaca}/control", json={"rate_limit": 100}, timeout=30).raise_for_status()
    symbols = [f"NOSUCH{number}" for number in range(40)]
    events = [e for symbol in symbols for e in run_events(symbol, "run-1", morning(DAY), TWO)]
    publish(decider.log, events)

    def declines() -> list[DecisionDeclined]:
        said = decider.events(symbols[0])
        return [event for event in said if isinstance(event, DecisionDeclined)]

    eventually(lambda: len(declines()) == len(symbols))
    assert {each.reason for each in declines()} == {DeclineReason.NOT_TRADABLE}
    calls = {
        call.call_id: call
        for call in decider.events(symbols[0])
        if isinstance(call, ApiCallRecorded)
    }
    assert None in {call.decision_id for call in calls.values()}, "no call served several"
    for each in declines():
        assert each.rationale.portfolio_context is not None
        assert set(each.rationale.portfolio_context.api_call_ids) < set(each.api_call_ids)
        for call_id in each.api_call_ids:
            assert calls[call_id].decision_id in (None, each.decision_id)


def test_an_amended_record_does_not_act_again(decider: Decider) -> None:
    publish(decider.log, run_events("AAPL", "run-1", morning(DAY), TWO))
    decider.answers("AAPL", 1)
    again = [Row("Ann", version=2, amount_usd_min=50_001)]
    publish(decider.log, run_events("AAPL", "run-2", morning(DAY), again))
    made, declined = decider.answers("AAPL", 2)
    assert isinstance(made, DecisionMade)
    assert isinstance(declined, DecisionDeclined)
    assert declined.reason is DeclineReason.ALREADY_ACTED


def test_a_record_that_a_correction_moves_counts_at_its_new_symbol_only(
    decider: Decider, log: SharedSettings
) -> None:
    def row(person: str, symbol: str) -> CongressRow:
        changes = {"Representative": person, "BioGuideID": person, "TransactionDate": "2024-01-22"}
        return congress_row("2024-02-02", **changes, Ticker=symbol)

    world = SmallWorld([row("Ann", "AAPL"), row("Cal", "MSFT"), row("Eve", "NVDA")])
    with quiver(world, "2024-02-05T12:00:00Z") as client, ingestor(log, client) as here:
        assert here.run().error is None
        first = [*decider.answers("AAPL", 1), *decider.answers("MSFT", 1)]
        correction = {"match": {"Representative": "Ann"}, "set": {"Ticker": "MSFT"}}
        more = [row("Bob", "AAPL").fields, row("Dee", "MSFT").fields]
        client.control(amend=correction, disclose=more)
        client.control(amend={"match": {"Representative": "Eve"}, "set": {"Ticker": "TSLA"}})
        assert here.run().error is None
    _, apple = decider.answers("AAPL", 2)
    _, microsoft = decider.answers("MSFT", 2)
    # Ann and Bob together would have been a consensus at AAPL; Ann, Cal and Dee now are one at MSFT.
    assert [isinstance(each, DecisionDeclined) for each in (*first, apple)] == [True] * 3
    assert apple.rationale.source_data.politician_names == ("Bob",)
    assert isinstance(microsoft, DecisionMade)
    assert microsoft.rationale.source_data.politician_names == ("Ann", "Cal", "Dee")
    (moved,) = [r for r in microsoft.rationale.source_data.records if r.version == 2]
    (earlier,) = first[0].rationale.source_data.records
    assert moved.record_id == earlier.record_id
    # Alone it sets off nothing: whether it did so under its old symbol can't be known here.
    (tesla,) = decider.answers("TSLA", 1)
    assert isinstance(tesla, DecisionDeclined)
    assert tesla.reason is DeclineReason.STALE_DISCLOSURES
    assert "1 came here from another ticker" in tesla.reason_text
    assert tesla.rationale.source_data.politician_names == ("Eve",)


def test_an_unreadable_event_of_the_symbol_makes_its_view_incomplete(decider: Decider) -> None:
    foreign = EventProducer(decider.log, Codec(decider.log.registry_url))
    topic = Topics.of(decider.log).for_symbol("AAPL")
    for symbol, kind in (("AAPL", DisclosureRecorded), ("MSFT", ApiCallRecorded)):
        schema_id = foreign._codec.register(kind.TYPE)
        value = b"\x00" + schema_id.to_bytes(4, "big") + b"broken"
        foreign._producer.produce(topic, key=symbol.encode(), value=value)
    foreign._producer.flush(10)
    publish(decider.log, run_events("AAPL", "run-1", morning(DAY), TWO))
    publish(decider.log, run_events("MSFT", "run-1", morning(DAY), TWO))
    (declined,) = decider.answers("AAPL", 1)
    assert isinstance(declined, DecisionDeclined)
    assert declined.reason is DeclineReason.INCOMPLETE_VIEW
    # A broken call of MSFT is nothing that a view would hold.
    (made,) = decider.answers("MSFT", 1)
    assert isinstance(made, DecisionMade)


def test_a_vendor_that_stays_away_ends_in_a_decline_that_says_so(
    log: SharedSettings, alpaca: str
) -> None:
    fault = {"kind": "status", "status": 503, "path": "/v2/account", "count": 1000}
    requests.post(f"{alpaca}/control", json={"fault": fault}, timeout=30).raise_for_status()
    publish(log, run_events("AAPL", "run-1", morning(DAY), TWO))
    with running_decider(log, alpaca, context_wait_s=2) as decider:
        (declined,) = decider.answers("AAPL", 1)
    assert isinstance(declined, DecisionDeclined)
    assert declined.reason is DeclineReason.CONTEXT_UNAVAILABLE
    assert "503" in declined.reason_text


def test_kills_change_nothing_in_the_sequence_of_answers(decider: Decider) -> None:
    symbols = ["AAPL", "MSFT"]
    for number in range(6):
        people = [Row(f"member-{number}-{n}") for n in range(2)]
        for symbol in symbols:
            publish(decider.log, run_events(symbol, f"run-{number}", morning(DAY), people))
        if number % 2:
            decider.kill()
            decider.start()
    for symbol in symbols:
        said = decider.answers(symbol, 6)
        assert [each.batch_id for each in said] == [f"run-{n}" for n in range(6)]
        assert len({each.decision_id for each in said}) == 6


def test_a_frozen_decider_wakes_to_find_its_work_done_by_another(decider: Decider) -> None:
    publish(decider.log, run_events("AAPL", "run-0", morning(DAY), TWO))
    decider.answers("AAPL", 1)
    decider.process.send_signal(signal.SIGSTOP)
    second = launch({**decider.env, "TRADETRAIL_REPLICA": "1"})
    try:
        for number in range(1, 4):
            rows = [Row(f"member-{number}-{n}") for n in range(2)]
            publish(decider.log, run_events("AAPL", f"run-{number}", morning(DAY), rows))
        decider.answers("AAPL", 4)
        decider.process.send_signal(signal.SIGCONT)
        publish(decider.log, run_events("AAPL", "run-4", morning(DAY), [Row("Zoe"), Row("Yan")]))
        said = decider.answers("AAPL", 5)
        assert [each.batch_id for each in said] == [f"run-{n}" for n in range(5)]
    finally:
        decider.process.send_signal(signal.SIGCONT)
        second.terminate()
        second.wait(60)


def test_a_second_decider_shares_the_work_and_repeats_none(decider: Decider) -> None:
    second = launch({**decider.env, "TRADETRAIL_REPLICA": "1"})
    try:
        symbols = ["AAPL", "MSFT", "AMZN", "NVDA", "GOOGL"]
        for number in range(3):
            for symbol in symbols:
                rows = [Row(f"member-{number}-{n}") for n in range(2)]
                publish(decider.log, run_events(symbol, f"run-{number}", morning(DAY), rows))
        for symbol in symbols:
            assert len(decider.answers(symbol, 3)) == 3
    finally:
        second.terminate()
        second.wait(60)
