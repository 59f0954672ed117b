"""A replay of the same versions and configurations: what was decided comes out again, alterations are named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from benchmarks.paper_log import CONGRESS, TOPIC, PaperDecider, PaperLog, SteadyMarket
from services.decider.replay.asked import Asked
from services.decider.replay.configurations import Configurations, NotRunnable
from services.decider.replay.history import Answer, Step, Stray
from services.decider.replay.judging import NOT_ON, NOT_REACHED, Judged
from services.decider.settings import DeciderSettings
from tests.integration.disclosed import Row, run_events
from tests.replay_log import (
    judged,
    made,
    memories_of,
    morning_of,
    small_log,
    walk,
)
from tradetrail.events.generated import (
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    Direction,
    DisclosureRecorded,
    OperatorActed,
    SymbolDataReady,
)
from tradetrail.log.reader import Place, Received
from tradetrail.log.stamp import Stamp
from tradetrail.manual_orders import manual_order, submission
from tradetrail.settings import canonical_json, configuration_hash

TWO = (Row("Ann"), Row("Bob"))


def fields_of(found: Judged) -> list[str]:
    return [each.field for difference in found.kept for each in difference.fields]


def first_made(
    change: Callable[[DecisionMade], Answer | None],
) -> Callable[[Answer], Answer | None]:
    """Change the first decision, leave every other answer alone."""
    numbers = count()

    def altered(answer: Answer) -> Answer | None:
        if isinstance(answer, DecisionMade) and next(numbers) == 0:
            return change(answer)
        return answer

    return altered


@pytest.mark.parametrize("batch_max", [1, 3, 200])
def test_what_the_live_code_decided_comes_out_the_same_whatever_the_batches(batch_max: int) -> None:
    log = PaperLog()
    decider = PaperDecider(log)
    for number in range(5):
        for symbol in ("AAPL", "MSFT", "NVDA"):
            rows = [Row("Ann", version=number + 1), Row(f"member-{number}")]
            log.publish(run_events(symbol, f"run-{number}", morning_of(number), rows))
    decider.decide(batch_max)
    found = judged(log)
    assert (found.triggers, found.compared, found.differences) == (15, 15, 0)


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log = small_log()
    monkeypatch.setenv("TRADETRAIL_CONGRESSIONAL_STRENGTH_MIN", "9")
    monkeypatch.setenv("TRADETRAIL_DECIDER_POSITION_FRACTION", "0.5")
    monkeypatch.setenv("TRADETRAIL_DECIDER_LOOKBACK_DAYS", "1")
    sectors = '{"SSFI": ["Technology"], "HSXX": ["Energy"]}'
    monkeypatch.setenv("TRADETRAIL_CONGRESSIONAL_COMMITTEE_SECTORS", sectors)
    configurations = Configurations(log.texts)
    (digest,) = configurations.hashes
    version = configurations.recorded(digest).versions[CONGRESS]
    strategy = configurations.strategy(digest, CONGRESS, version)
    recorded = json.loads(log.texts[digest])["strategies"][CONGRESS]
    assert {"version": version, **strategy.configuration()} == recorded
    assert judged(log).differences == 0


def test_who_made_an_answer_and_when_may_differ() -> None:
    log = small_log()
    log.alter(
        lambda a: replace(a, instance="another", service_version="0", occurred_at=morning_of(9))
    )
    assert judged(log).differences == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param(lambda d: replace(d, quantity=d.quantity + 1), "quantity", id="quantity"),
        pytest.param(lambda d: replace(d, view_through=0), "view_through", id="view_through"),
        pytest.param(lambda d: replace(d, batch_id="x"), "batch_id", id="batch"),
        pytest.param(
            lambda d: replace(d, strategy_version="0.0.1"), "strategy_version", id="version"
        ),
        pytest.param(
            lambda d: replace(d, rationale=replace(d.rationale, confidence_score=Decimal("0.1"))),
            "rationale.confidence_score",
            id="confidence",
        ),
        pytest.param(
            lambda d: replace(
                d,
                rationale=replace(
                    d.rationale,
                    market_context=replace(d.rationale.market_context, current_price=Decimal(1)),
                ),
            ),
            "quantity",
            id="price",
        ),
        pytest.param(lambda d: replace(d, configuration_hash="0" * 64), "answer", id="hash"),
    ],
)
def test_an_altered_decision_is_named_with_its_field(
    change: Callable[[DecisionMade], Answer], field: str
) -> None:
    log = small_log()
    log.alter(first_made(change))
    found = judged(log)
    assert found.differences == 1
    assert fields_of(found)[0] == field


def test_an_altered_reason_is_named_with_both() -> None:
    log = small_log()

    def other(answer: Answer) -> Answer:
        if not isinstance(answer, DecisionDeclined):
            return answer
        return replace(answer, reason=DeclineReason.NO_SIGNAL, reason_text="nothing new")

    log.alter(other)
    found = judged(log)
    assert found.differences == 3
    assert {each.field for each in found.kept[0].fields} == {"reason", "reason_text"}
    reason = found.kept[0].fields[0]
    assert (reason.recorded, reason.replayed) == ("no_signal", "below_threshold")


def test_a_decline_in_a_decisions_place_is_named_with_what_was_to_be_traded() -> None:
    log = small_log()
    declines = [each for each in log.answers() if isinstance(each, DecisionDeclined)]

    def decline(decision: DecisionMade) -> Answer:
        same = ("cause", "symbol", "decision_id", "story_id", "view_through", "batch_id")
        return replace(declines[0], **{name: getattr(decision, name) for name in same})

    log.alter(first_made(decline))
    (difference,) = judged(log).kept
    (field,) = difference.fields
    assert field.field == "answer"
    assert (field.recorded or "").startswith("below_threshold")
    assert "no context is recorded" in (field.replayed or "")


def without(log: PaperLog, is_out: Callable[[Any], bool]) -> PaperLog:
    """Take the first event that fits out of the log; offsets stay."""
    for place, there in log.messages.items():
        for index, message in enumerate(there):
            if is_out(log.codec.decode(message.value).event):
                log.messages[place] = there[:index] + there[index + 1 :]
                return log
    raise AssertionError("no event fits")


def test_a_missing_record_shows_in_the_decisions_that_used_it() -> None:
    used = {r.record_id for r in made(small_log())[0].rationale.source_data.records}
    log = without(small_log(), lambda e: isinstance(e, DisclosureRecorded) and e.record_id in used)
    found = judged(log)
    assert found.differences > 0
    assert any("source_data" in f or f == "answer" for f in fields_of(found))


def test_a_missing_answer_is_named() -> None:
    log = without(small_log(), lambda e: isinstance(e, DecisionMade))
    found = judged(log)
    assert found.differences == 1
    assert found.kept[0].fields[0].recorded is None
    assert found.kept[0].strategy == CONGRESS


def test_an_answer_without_a_trigger_is_a_difference() -> None:
    log = without(small_log(), lambda e: isinstance(e, SymbolDataReady))
    assert any("no such trigger" in (each.fields[0].replayed or "") for each in judged(log).kept)


def test_a_second_answer_of_a_strategy_is_a_difference() -> None:
    log = small_log()
    place = log.place("AAPL")
    index, message = next(
        (index, m)
        for index, m in enumerate(log.messages[place])
        if isinstance(log.codec.decode(m.value).event, DecisionMade)
    )
    log.messages[place].insert(index, message)
    found = judged(log)
    assert found.differences == 1
    assert "answered before" in (found.kept[0].fields[0].replayed or "")


def test_triggers_that_nobody_answered_are_told_apart() -> None:
    log = PaperLog()
    idle = PaperDecider(log, strategies=("CorporateInsiderStrategy",))
    log.publish(run_events("AAPL", "run-0", morning_of(0), TWO))
    idle.decide()
    awake = PaperDecider(log)
    awake.fold_all()
    log.publish(run_events("AAPL", "run-1", morning_of(1), [Row("Cal"), Row("Dan")]))
    awake.decide()
    log.publish(run_events("AAPL", "run-2", morning_of(2), [Row("Eve"), Row("Fay")]))
    found = judged(log)
    assert found.unanswered == {NOT_ON: 1, NOT_REACHED: 1}
    assert (found.compared, found.differences) == (1, 0)


def test_a_period_and_a_symbol_bound_what_is_judged() -> None:
    log = small_log()
    day = morning_of(2).date()
    found = judged(log, Asked(first=day, last=day, symbol="AAPL"))
    assert (found.triggers, found.compared, found.differences) == (1, 1, 0)


def test_a_configuration_that_lacks_a_setting_is_refused() -> None:
    log = small_log()
    ((digest, text),) = log.texts.items()
    content = json.loads(text)
    for incomplete in (
        {name: value for name, value in content.items() if name != "position_fraction"},
        {**content, "strategies": {CONGRESS: {"version": "1.0.0", "strength_min": "2"}}},
    ):
        other = configuration_hash(incomplete)
        configurations = Configurations({other: canonical_json(incomplete)})
        with pytest.raises(NotRunnable, match="lack"):
            configurations.strategy(other, CONGRESS, "1.0.0")
    with pytest.raises(NotRunnable, match="altered"):
        Configurations({digest: text.replace("0.01", "0.02", 1)}).recorded(digest)


def test_every_setting_of_the_decider_is_recorded_or_known_to_decide_nothing() -> None:
    content = json.loads(next(iter(small_log().texts.values())))
    for name in DeciderSettings.model_fields:
        lacking = {key: value for key, value in content.items() if key != name}
        digest = configuration_hash(lacking)
        configurations = Configurations({digest: canonical_json(lacking)})
        if name in ("context_wait_s", "rate_limit_reserve", "die_at"):
            configurations.recorded(digest)
        else:
            with pytest.raises(NotRunnable):
                configurations.recorded(digest)


def test_reading_ahead_keeps_nothing_back_and_goes_no_further_than_it_must() -> None:
    log = small_log(days=12)
    whole = log.read
    ahead_by: list[int] = []
    positions: dict[int, int] = {}
    readers = count()

    def read(place: Place) -> Iterator[Received]:
        reader = next(readers)
        for message in whole(place):
            positions[reader] = message.offset
            yield message

    def take(found: Step | Stray) -> None:
        assert isinstance(found, Step)
        folding, ahead = positions[max(positions)], positions[max(positions) - 1]
        if folding < ahead:
            folding, ahead = ahead, folding
        ahead_by.append(folding - ahead)

    log.read = read  # type: ignore[method-assign]
    walk(log, take, memories_of(log, {120}), Asked())
    # Answers stand two mornings behind their triggers at most, and so does the reading of them.
    assert max(ahead_by) <= 30
    assert all(place[0] == TOPIC for place in log.messages)


def order_act(log: PaperLog, key: str, quantity: str = "5") -> OperatorActed:
    order = manual_order("AAPL", "buy", quantity, None, "day")
    asked = submission(order, "Ann Trader", "the quarter looks good", key)
    return asked.act(Stamp("cli", "paper").envelope(morning_of(1)))


def test_a_persons_order_is_answered_again_from_its_recorded_act() -> None:
    log = PaperLog()
    decider = PaperDecider(log)
    log.publish([order_act(log, "one"), order_act(log, "one"), order_act(log, "one", "7")])
    log.publish(run_events("AAPL", "run-0", morning_of(2), TWO))
    decider.decide()
    assert [type(each).__name__ for each in log.answers()].count("DecisionMade") == 2
    found = judged(log)
    assert (found.triggers, found.compared, found.differences) == (3, 3, 0)
    log.alter(first_made(lambda d: replace(d, made_by="Bob")))
    found = judged(log, Asked(strategy="manual"))
    assert (found.compared, fields_of(found)) == (2, ["made_by"])


def test_an_order_that_was_passed_over_is_a_difference() -> None:
    log = PaperLog()
    decider = PaperDecider(log)
    log.publish([order_act(log, "one")])
    log.publish(run_events("AAPL", "run-0", morning_of(2), TWO))
    decider.decide()
    log.alter(lambda a: None if a.strategy_name == "manual" else a)
    found = judged(log)
    assert (found.differences, found.kept[0].strategy) == (1, "manual")


def test_an_event_that_cant_be_read_is_as_incomplete_again() -> None:
    log = PaperLog()
    decider = PaperDecider(log)
    log.append("AAPL", b"\x00\x00\x00\x00\x01broken")
    for number in range(2):
        log.publish(run_events("AAPL", f"run-{number}", morning_of(number), TWO))
    decider.decide(batch_max=2)
    assert {getattr(a, "reason", None) for a in log.answers()} == {DeclineReason.INCOMPLETE_VIEW}
    assert judged(log).differences == 0


def test_a_look_back_that_was_changed_in_between_is_kept_to() -> None:
    log = PaperLog()
    first = PaperDecider(log, lookback_days=120)
    log.publish(run_events("AAPL", "run-0", morning_of(0), [Row("Ann")]))
    first.decide()
    log.publish(run_events("AAPL", "run-1", morning_of(60), [Row("Ann", version=2)]))
    first.decide()
    second = PaperDecider(log, lookback_days=45)
    second.fold_all()
    log.publish(run_events("AAPL", "run-2", morning_of(61), [Row("Ann", version=3)]))
    second.decide()
    reasons = [getattr(each, "reason", None) for each in log.answers()]
    assert reasons[-1] is DeclineReason.STALE_DISCLOSURES
    assert DeclineReason.STALE_DISCLOSURES not in reasons[:-1]
    assert judged(log).differences == 0


@pytest.mark.parametrize(
    ("value", "position"), [("100", "0"), ("100.50", "0"), ("1000000", "0.5")], ids=str
)
def test_reasons_say_numbers_as_they_are_recorded(value: str, position: str) -> None:
    log = PaperLog()
    market = SteadyMarket({"AAPL": Decimal(position)})
    market.value = Decimal(value)
    decider = PaperDecider(log, market)
    side = Direction.SELL if Decimal(position) else Direction.BUY
    log.publish(run_events("AAPL", "run-0", morning_of(0), [Row("Ann", side), Row("Bob", side)]))
    log.publish([order_act(log, "one"), order_act(log, "two", "1000")])
    decider.decide()
    assert {getattr(a, "reason", None) for a in log.answers()} >= {DeclineReason.ZERO_QUANTITY}
    assert judged(log).differences == 0
