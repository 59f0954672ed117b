"""The generated world gives the insider strategy something to do, so that a demo shows it."""

from __future__ import annotations

from collections import Counter

from services.decider.strategies.insider import CorporateInsiderStrategy, InsiderSettings
from simulators.world import DEFAULT_END, DEFAULT_SEED, DEFAULT_START
from simulators.world.generated import GeneratedWorld
from tests.unit.insider_walk import filed_of, walk


def test_the_demos_world_has_insiders_to_follow() -> None:
    world = GeneratedWorld(DEFAULT_SEED, DEFAULT_START, DEFAULT_END)
    strategy = CorporateInsiderStrategy(InsiderSettings())
    answers = walk(strategy, filed_of(row.fields for row in world.insiders))
    during = [answer for answer in answers if answer.day >= DEFAULT_START]
    signals = [answer for answer in during if answer.signal.decline is None]
    assert "buy" in Counter(str(answer.signal.side) for answer in signals)
    assert 5 <= len(signals) <= len(during) / 10
    assert any(answer.signal.consensus for answer in signals), (
        "the invented purchases come in clusters"
    )
