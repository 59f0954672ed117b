"""Acts of people on orders and halts: what is typed is what is read back, and nonsense is refused before the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tradetrail.events.generated import OperatorAct, OperatorActed
from tradetrail.log.stamp import Stamp
from tradetrail.manual_orders import BadOrder
from tradetrail.operator_acts import (
    asked,
    cancels_open,
    halt_scope,
    read_replacement,
    read_resolution,
    replacement,
    replacement_arguments,
    resolution,
    resolution_arguments,
)

PERSON = ("ann", "test", "k-1")
ENVELOPE = Stamp("cli", "test").envelope(datetime(2024, 2, 5, tzinfo=UTC))


def event(act: OperatorAct, arguments: dict[str, object]) -> OperatorActed:
    return asked(act, "d-1", PERSON, arguments).event(ENVELOPE)


@pytest.mark.parametrize(
    ("quantity", "limit"), [("5", None), (None, "190.5"), ("7", "0.9999")], ids=range(3)
)
def test_a_replacement_is_read_back_as_typed(quantity: str | None, limit: str | None) -> None:
    wanted = replacement(quantity, limit)
    assert (
        read_replacement(event(OperatorAct.REPLACE_ORDER, replacement_arguments(wanted))) == wanted
    )


@pytest.mark.parametrize(
    "told",
    [
        ("not-sent", None, None, None),
        ("filled", "10", "101.123456", "b-1"),
        ("cancelled", "3", "99", None),
        ("expired", None, None, None),
        ("rejected", None, None, "b-1"),
    ],
    ids=range(5),
)
def test_a_resolution_is_read_back_as_typed(told: tuple[str, str, str, str]) -> None:
    settled = resolution(*told)
    assert (
        read_resolution(event(OperatorAct.RESOLVE_ORDER, resolution_arguments(settled))) == settled
    )


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (lambda: replacement(None, None), "nothing to replace"),
        (lambda: replacement("0.5", None), "whole shares"),
        (lambda: replacement("0", None), "zero"),
        (lambda: replacement(None, "1.005"), "steps of 0.01"),
        (lambda: resolution("lost", None, None, None), "ended as one of"),
        (lambda: resolution("filled", None, None, None), "--qty and --price"),
        (lambda: resolution("filled", "10", None, None), "go together"),
        (lambda: resolution("not-sent", "10", "1", None), "filled no share"),
        (lambda: resolution("not-sent", None, None, "b-1"), "no id at the broker"),
        (lambda: resolution("filled", "10", "0", None), "price"),
        (lambda: halt_scope("AAPL", "Name"), "not both"),
        (lambda: halt_scope(None, " "), "a name"),
        (lambda: asked(OperatorAct.HALT, "everything", ("", "w", "k"), {}), "who"),
        (lambda: asked(OperatorAct.HALT, "everything", ("a", "w", "k k"), {}), "a key has"),
    ],
    ids=range(14),
)
def test_what_cannot_be_is_refused(typed: object, told: str) -> None:
    assert callable(typed)
    with pytest.raises(BadOrder, match=told):
        typed()


def test_what_a_halt_concerns() -> None:
    assert halt_scope(None, None) == "everything"
    assert halt_scope("brk.b", None) == "symbol:BRK.B"
    assert halt_scope(None, "Name") == "strategy:Name"


def test_the_same_words_under_one_key_are_the_same_act() -> None:
    first = asked(OperatorAct.HALT, "everything", PERSON, {"cancel_open": True})
    assert asked(OperatorAct.HALT, "everything", PERSON, {"cancel_open": True}) == first
    for other in (
        replace(first, key="k-2"),
        replace(first, why="more"),
        replace(first, scope="symbol:AAPL"),
        replace(first, act=OperatorAct.RESUME),
        replace(first, arguments="{}"),
    ):
        assert other.act_id != first.act_id


@pytest.mark.parametrize(
    ("arguments", "cancels"),
    [('{"cancel_open":true}', True), ("{}", False), ("[]", False), ("x", False), ("", False)],
    ids=range(5),
)
def test_only_plain_words_ask_for_cancellation(arguments: str, cancels: bool) -> None:
    halt = replace(event(OperatorAct.HALT, {}), arguments=arguments)
    assert cancels_open(halt) is cancels


@pytest.mark.parametrize("arguments", ["x", "[]", "{}", '{"quantity":5,"limit_price":null}'])
def test_an_act_that_others_wrote_wrongly_is_refused(arguments: str) -> None:
    act = replace(event(OperatorAct.REPLACE_ORDER, {}), arguments=arguments)
    with pytest.raises(BadOrder):
        read_replacement(act)
