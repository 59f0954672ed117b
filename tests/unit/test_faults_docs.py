"""docs/faults.md names every fault that a campaign does, and every step at which decider and auditor can be struck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from services.auditor import breakpoints as auditor
from services.decider import breakpoints as decider
from tests.faults import auditor_deck, decider_deck, executor_deck, ingestor_deck
from tests.faults.dealing import Fault

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
INGESTOR, _, _REST = PAGE.partition("## The decider's campaign")
DECIDER, _, _REST = _REST.partition("## The executor's campaign")
AUDITOR = _REST.partition("## The auditor's campaign")[2]


@pytest.mark.parametrize(
    ("deck", "chapter"),
    [
        pytest.param(ingestor_deck.deck, INGESTOR, id="ingestor"),
        pytest.param(decider_deck.deck, DECIDER, id="decider"),
        pytest.param(auditor_deck.deck, AUDITOR, id="auditor"),
    ],
)
def test_every_kind_of_fault_is_described(deck: Callable[[], list[Fault]], chapter: str) -> None:
    rows = [line for line in chapter.splitlines() if line.startswith("| `")]
    for kind in {fault.kind for fault in deck()}:
        assert any(f"`{kind}`" in row or f"`{kind} " in row for row in rows), kind


@pytest.mark.parametrize(
    ("steps", "chapter"),
    [
        pytest.param(decider.STEPS, DECIDER, id="decider"),
        pytest.param(auditor.STEPS, AUDITOR, id="auditor"),
    ],
)
def test_every_step_is_described(steps: Sequence[str], chapter: str) -> None:
    for step in steps:
        assert f"`{step}`" in chapter, step


@pytest.mark.parametrize(
    ("deck", "service"),
    [
        pytest.param(ingestor_deck.deck, "the ingestor's", id="ingestor"),
        pytest.param(decider_deck.deck, "the decider's", id="decider"),
        pytest.param(executor_deck.deck, "the executor's", id="executor"),
        pytest.param(auditor_deck.deck, "the auditor's", id="auditor"),
    ],
)
def test_the_page_says_how_many_rounds_do_every_fault(
    deck: Callable[[], list[Fault]], service: str
) -> None:
    number = len(set(deck()))
    assert f"{number} rounds do each of {service}" in PAGE or f"{number} {service}" in PAGE
