"""In which order a campaign deals its faults: each of them before any comes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import auditor_deck, decider_deck, executor_deck, ingestor_deck
from tests.faults.dealing import Fault, dealt
from tests.faults.rounds import dealt_rounds
from tradetrail.stack.local import LocalStack

Deck = Callable[[], list[Fault]]
DECKS = [
    pytest.param(ingestor_deck.deck, id="ingestor"),
    pytest.param(decider_deck.deck, id="decider"),
    pytest.param(executor_deck.deck, id="executor"),
    pytest.param(auditor_deck.deck, id="auditor"),
]


@pytest.mark.parametrize("deck", DECKS)
def test_as_many_rounds_as_there_are_different_faults_do_each_of_them(deck: Deck) -> None:
    cards = deck()
    different = set(cards)
    for seed in range(20):
        found = dealt(Random(seed), len(different), cards, as_given=False)
        assert set(found) == different, seed


@pytest.mark.parametrize("deck", DECKS)
def test_a_fault_that_the_deck_has_more_than_once_is_dealt_more_often(deck: Deck) -> None:
    cards = deck()
    found = dealt(Random(1), 2 * len(cards), cards, as_given=False)
    assert Counter(found) == Counter({fault: 2 * n for fault, n in Counter(cards).items()})


def test_a_hundred_rounds_do_every_fault_of_the_auditors_deck() -> None:
    cards = auditor_deck.deck()
    assert set(dealt(Random(1), 100, cards, as_given=False)) == set(cards)


def test_the_same_seed_deals_the_same_faults_however_many_rounds_are_done() -> None:
    cards = auditor_deck.deck()
    long = dealt(Random(7), 300, cards, as_given=False)
    assert dealt(Random(7), 110, cards, as_given=False) == long[:110]
    assert dealt(Random(8), 110, cards, as_given=False) != long[:110]


def test_wanted_faults_are_dealt_as_they_are_given_over_and_over() -> None:
    cards = [Fault("b"), Fault("a"), Fault("b")]
    assert dealt(Random(1), 7, cards, as_given=True) == [*cards, *cards, cards[0]]


def test_no_faults_are_dealt_from_no_cards() -> None:
    assert dealt(Random(1), 3, [], as_given=False) == []


def test_a_campaign_in_pieces_does_the_rounds_of_the_whole() -> None:
    # A broker that somebody else runs: no round takes it away.
    there: Any = SimpleNamespace(part=lambda _name: SimpleNamespace(pid=None))
    stack = cast(LocalStack, there)
    cards = auditor_deck.deck()
    whole = dealt_rounds(stack, 3, 100, cards, as_given=False)
    pieces = [
        dealt_rounds(stack, 3, first + 24, cards, as_given=False, first=first)
        for first in (1, 26, 51, 76)
    ]
    assert [each for piece in pieces for each in piece] == whole
    assert {fault for _, fault in whole} == {fault for fault in cards if not fault.is_broker}
    one = dealt_rounds(stack, 3, 40, cards, as_given=False, first=40)
    assert one == [each for each in whole if each[0] == 40]
