"""What holds for every strategy: pure, in range, blind to what isn't its own, and without a way to look ahead."""

from __future__ import annotations

import ast
import dataclasses
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.decider.catalogue import available
from services.decider.signals.signal import Strategy
from services.decider.views.symbol_state import Acted
from services.decider.views.view import Disclosure, Trigger, View
from tests.unit.decider_views import (
    DIRECTIONS,
    NOW,
    RUN,
    TODAY,
    busy_bytes,
    empty_state,
    lot,
    member_trade,
    place,
    rationale_bytes,
    trigger,
    view,
)
from tradetrail.events.generated import (
    Direction,
    DisclosureRecorded,
    RecordChange,
    RecordKind,
    SymbolDataReady,
)
from tradetrail.log.configuration import Stamp

ROOT = Path(__file__).resolve().parents[2]
STRATEGIES: dict[str, Strategy] = {
    name: kind(kind.settings_type()) for name, kind in available().items()
}
KINDS = {
    "CongressionalTradingStrategy": RecordKind.CONGRESS,
    "CorporateInsiderStrategy": RecordKind.INSIDER,
}
BOTH = pytest.mark.parametrize("name", sorted(KINDS))
PEOPLE = st.sampled_from(["Ann", "ANN", "Bob", "Cid", "Dee", "Eve"])
AMOUNTS = st.sampled_from(["0", "1", "9999.99", "50000", "250000", "1e6", "1e15", "1e27"])
DELAYS = st.integers(min_value=-3, max_value=60)
FLAGS = st.sampled_from(
    [(), (), (), ("late_filing",), ("price_implausible",), ("impossible_date",)]
)


@st.composite
def disclosure(draw: st.DrawFn, kind: RecordKind, offset: int) -> Disclosure:
    """Draw a disclosure of a kind, tidy or not."""
    reported_on = TODAY - timedelta(days=draw(st.integers(min_value=-2, max_value=60)))
    dates: dict[str, Any] = {
        "reported_on": reported_on,
        "transacted_on": reported_on - timedelta(days=draw(DELAYS)),
    }
    if kind == RecordKind.CONGRESS:
        return member_trade(
            offset,
            draw(PEOPLE),
            direction=draw(st.sampled_from(list(Direction))),
            amount_usd_min=draw(st.none() | AMOUNTS.map(Decimal)),
            flags=draw(FLAGS),
            **dates,
        )
    code = draw(st.sampled_from("PPPSSSAMF"))
    return lot(
        offset,
        draw(PEOPLE),
        code,
        direction=DIRECTIONS.get(code, Direction.OTHER),
        shares=draw(st.none() | AMOUNTS.map(Decimal)),
        price_usd=draw(st.none() | AMOUNTS.map(Decimal)),
        shares_owned_following=draw(st.none() | AMOUNTS.map(Decimal)),
        ownership=draw(st.sampled_from([None, "D", "I"])),
        officer_title=draw(st.sampled_from([None, "CEO", "EVP & GC", "See remarks"])),
        is_officer=draw(st.sampled_from([None, True, False])),
        flags=draw(FLAGS),
        **dates,
    )


@st.composite
def worlds(draw: st.DrawFn, kind: RecordKind) -> tuple[list[Disclosure], set[str], list[str]]:
    """Draw disclosures of one kind, which of them acted, and which are new."""
    count = draw(st.integers(min_value=1, max_value=10))
    found = [draw(disclosure(kind, offset)) for offset in range(count)]
    ids = [d.record_id for d in found]
    acted = draw(st.sets(st.sampled_from(ids), max_size=3))
    new = draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
    return found, acted, new


def foreign(kind: RecordKind) -> st.SearchStrategy[list[Disclosure]]:
    """Return disclosures of the other data source."""
    other = next(each for each in KINDS.values() if each != kind)
    one = st.integers(min_value=100, max_value=999).flatmap(lambda at: disclosure(other, at))
    return st.lists(one, max_size=5, unique_by=lambda d: d.record_id)


@BOTH
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_strength_and_confidence_stay_in_their_ranges(name: str, data: st.DataObject) -> None:
    found, acted, new = data.draw(worlds(KINDS[name]))
    signal = STRATEGIES[name].evaluate(view(*found, acted=acted), trigger(*new))
    assert 0 <= signal.strength <= 10
    assert 0 <= signal.confidence <= 1
    assert (signal.side is None) <= (signal.decline is not None)
    assert bool(signal.text) is (signal.decline is not None)
    ids = {d.record_id for d in found}
    assert all(d.record_id in ids and d.kind == KINDS[name] for d in signal.used)
    assert [d.place.offset for d in signal.used] == sorted(d.place.offset for d in signal.used)


@BOTH
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_same_inputs_give_the_same_bytes_and_a_foreign_source_changes_none(
    name: str, data: st.DataObject
) -> None:
    strategy = STRATEGIES[name]
    found, acted, new = data.draw(worlds(KINDS[name]))
    plain = rationale_bytes(strategy, view(*found, acted=acted), trigger(*new))
    again = rationale_bytes(strategy, view(*found, acted=acted), trigger(*new))
    assert plain == again
    others = data.draw(foreign(KINDS[name]))
    mixed = data.draw(st.permutations([*others, *found]))
    # What is relevant keeps its order; where the others stand among it changes nothing.
    kept = iter(found)
    merged = [next(kept) if d.kind == KINDS[name] else d for d in mixed]
    with_others = view(*merged, acted={*acted, *(d.record_id for d in others[:1])})
    delivered = trigger(*new, *(d.record_id for d in others))
    assert rationale_bytes(strategy, with_others, delivered) == plain


@BOTH
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_order_of_disclosures_in_a_view_never_changes_the_signal(
    name: str, data: st.DataObject
) -> None:
    found, acted, new = data.draw(worlds(KINDS[name]))
    shuffled = data.draw(st.permutations(found))
    one = STRATEGIES[name].evaluate(view(*found, acted=acted), trigger(*new))
    two = STRATEGIES[name].evaluate(view(*shuffled, acted=acted), trigger(*reversed(new)))
    assert (one.side, one.strength, one.confidence, one.decline) == (
        two.side,
        two.strength,
        two.confidence,
        two.decline,
    )
    assert one.rules == two.rules
    assert one.text == two.text


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_other_symbols_between_never_change_a_symbols_view(data: st.DataObject) -> None:
    """One partition holds many symbols: a symbol's fold is the same whatever stands between its events."""
    found, _, _ = data.draw(worlds(RecordKind.INSIDER))
    gaps = data.draw(st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found)))
    alone, between, elsewhere = empty_state(), empty_state(), empty_state()
    for each, gap in zip(found, gaps, strict=True):
        alone.fold(recorded(each), each.place)
        for n in range(gap):
            elsewhere.fold(recorded(lot(500 + n)), place(500 + n))
        between.fold(recorded(each), each.place)
    asked = trigger()
    assert alone.view("any", asked) == between.view("any", asked)
    assert [d.record_id for d in alone.view("any", asked).disclosures] == [
        d.record_id for d in found
    ]


def recorded(each: Disclosure) -> DisclosureRecorded:
    """Return the event that a disclosure of a view comes from."""
    seen = {f.name for f in dataclasses.fields(Disclosure)} & {
        f.name for f in dataclasses.fields(DisclosureRecorded)
    }
    return DisclosureRecorded(
        event_id=each.place.event_id,
        **Stamp("ingestor", "test").envelope(trigger().occurred_at),
        symbol="AAPL",
        change=RecordChange.CREATED,
        content_hash="0",
        api_call_id="call",
        row_number=0,
        person_name=each.person,
        source_fields='{"ExcessReturn": 99}',
        **{name: getattr(each, name) for name in seen},
    )


def test_a_view_takes_over_what_was_recorded_of_an_insider() -> None:
    one = lot(1, officer_title="CEO", is_officer=True, ownership="I", is_ten_percent_owner=False)
    state = empty_state()
    state.fold(recorded(one), one.place)
    assert state.view("any", trigger()).disclosures == (one,)


def test_no_field_that_a_strategy_sees_looks_ahead() -> None:
    """By construction: a strategy gets these fields; a new one has to be added here with a thought."""
    assert {f.name for f in dataclasses.fields(Disclosure)} == {
        *("record_id", "version", "kind", "run_id", "place", "person", "direction"),
        *("transacted_on", "reported_on", "amount_usd_min", "amount_usd_max", "flags"),
        *("transaction_type", "shares", "price_usd", "shares_owned_following", "ownership"),
        *("officer_title", "is_officer", "is_director", "is_ten_percent_owner"),
        "person_id",
    }
    assert {f.name for f in dataclasses.fields(View)} == {
        *("disclosures", "runs", "acted", "incomplete", "reference"),
    }
    assert {f.name for f in dataclasses.fields(Trigger)} == {
        *("symbol", "place", "occurred_at", "run", "record_ids", "stale", "stale_text"),
    }
    assert not hasattr(lot(1), "__dict__"), "nothing can be hung on it"


# All that a strategy may import: values, arithmetic, its settings' form, and what the decider hands it.
ALLOWED = {
    *("__future__", "collections", "collections.abc", "dataclasses", "datetime", "decimal"),
    *("enum", "functools", "re", "typing", "pydantic", "pydantic_settings"),
    *("services.decider.signals.insider_trades", "services.decider.signals.officer_titles"),
    *("services.decider.signals.jurisdictions", "tradetrail.order_rules"),
    *(
        "services.decider.signals.order_shape",
        "services.decider.signals.signal",
        "services.decider.views.view",
    ),
    *("tradetrail.events", "tradetrail.events.generated", "tradetrail.order_rules"),
    "tradetrail.sessions",
}
# What would bring the clock, the outside, or values that differ from process to process.
FORBIDDEN_ATTRIBUTES = {"now", "today", "utcnow", "fromtimestamp", "environ", "getenv", "urandom"}
FORBIDDEN_NAMES = {"open", "input", "exec", "eval", "hash", "id", "__import__", "globals", "vars"}
FILES = sorted(
    [
        *(ROOT / "services/decider/strategies").rglob("*.py"),
        *(ROOT / "services/decider/signals").rglob("*.py"),
        *(ROOT / "services/decider/views" / name for name in ("reference.py", "view.py")),
        ROOT / "tradetrail/order_rules.py",
    ]
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_strategy_can_reach_neither_clock_nor_network(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= ALLOWED
        if isinstance(node, ast.ImportFrom):
            assert node.module in ALLOWED, node.module
        if isinstance(node, ast.Attribute):
            assert node.attr not in FORBIDDEN_ATTRIBUTES, node.attr
        if isinstance(node, ast.Name):
            assert node.id not in FORBIDDEN_NAMES, node.id


def test_every_strategy_is_named_here_and_each_runs_by_its_own_data_source() -> None:
    assert set(STRATEGIES) == set(KINDS)
    assert [STRATEGIES[name].data_sources for name in sorted(KINDS)] == [
        frozenset({"quiverquant_congress"}),
        frozenset({"quiverquant_insider"}),
    ]


_OTHER_PROCESS = """
from services.decider.strategies.insider import CorporateInsiderStrategy, InsiderSettings
from tests.unit.decider_views import busy_bytes
print(busy_bytes(CorporateInsiderStrategy(InsiderSettings())).hex())
"""


def test_another_process_gives_the_same_bytes() -> None:
    """Sets of texts are ordered otherwise in every process: nothing recorded may hang on it."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _OTHER_PROCESS],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    ).stdout.strip()
    assert told == busy_bytes(STRATEGIES["CorporateInsiderStrategy"]).hex()


def test_a_record_that_acted_for_one_strategy_is_new_to_the_other() -> None:
    state = empty_state()
    one = lot(1)
    state.fold(recorded(one), one.place)
    state.acted["CongressionalTradingStrategy"] = {one.record_id: {Acted(NOW, 2)}}
    assert state.view("CongressionalTradingStrategy", trigger()).acted == {one.record_id}
    assert state.view("CorporateInsiderStrategy", trigger()).acted == frozenset()


def test_the_trigger_of_a_run_names_its_records() -> None:
    ready = SymbolDataReady(
        event_id="e",
        **Stamp("ingestor", "test").envelope(trigger().occurred_at),
        symbol="AAPL",
        run_id=RUN,
        task_name="task",
        data_source="quiverquant_insider",
        completed_at=trigger().occurred_at,
        records_fetched=0,
        records=(),
    )
    asked = empty_state().fold(ready, place(1))
    assert asked is not None
    assert (asked.symbol, asked.record_ids) == ("AAPL", ())
