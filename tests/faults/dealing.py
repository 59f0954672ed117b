"""Faults as cards of a deck: what each is called, and in which order a campaign deals them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Fault:
    """One scenario; ``step`` where it is done, if at a step."""

    kind: str
    step: str = ""

    @property
    def name(self) -> str:
        """Return how it is called in reports and by ``--fault``."""
        return f"{self.kind} {self.step}".strip()

    @property
    def is_broker(self) -> bool:
        """Tell whether it takes the broker away from everybody."""
        return self.kind.startswith("broker")

    @property
    def is_alone(self) -> bool:
        """Tell whether it reaches into other work: an ingestor of these closes abandoned runs of all data sources."""
        return self.is_broker or self.kind in ("maintenance", "service")


def dealt(chance: Random, rounds: int, cards: Sequence[Fault], *, as_given: bool) -> list[Fault]:
    """Return the faults in the order they are done: the cards ``as_given``, again and again.

    Else they are shuffled, and each has come once before any comes a second time: as many rounds as there are
    different cards do them all.
    """
    once = list(dict.fromkeys(cards))
    again = list((Counter(cards) - Counter(once)).elements())
    found: list[Fault] = []
    while once and len(found) < rounds:
        if as_given:
            found += cards
            continue
        for part in (once, again):
            chance.shuffle(part)
            found += part
    return found[:rounds]


def done(acts: Sequence[Callable[[], None]], problem: Callable[[str], None]) -> None:
    """Do one act after the other; what goes wrong is told as a problem, and the campaign goes on."""
    for act in acts:
        try:
            act()
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
            problem(f"it broke off: {error!r}")
