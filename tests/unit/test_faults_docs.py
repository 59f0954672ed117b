"""docs/faults.md names every fault that a campaign does, and every step at which a decider can be struck."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.decider.breakpoints import STEPS
from tests.faults import decider_deck, ingestor_deck
from tests.faults.dealing import Fault

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
INGESTOR, DECIDER = PAGE.split("## The decider's campaign")


@pytest.mark.parametrize(
    ("deck", "chapter"),
    [
        pytest.param(ingestor_deck.deck, INGESTOR, id="ingestor"),
        pytest.param(decider_deck.deck, DECIDER, id="decider"),
    ],
)
def test_every_kind_of_fault_is_described(deck: Callable[[], list[Fault]], chapter: str) -> None:
    rows = [line for line in chapter.splitlines() if line.startswith("| `")]
    for kind in {fault.kind for fault in deck()}:
        assert any(f"`{kind}`" in row or f"`{kind} " in row for row in rows), kind


def test_every_step_of_a_decider_is_described() -> None:
    for step in STEPS:
        assert f"`{step}`" in DECIDER, step
