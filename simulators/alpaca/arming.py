"""When an armed fault strikes: skip some, then so many times, each with a seeded probability."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Arming:
    """Counts what a fault met and how often it struck. ``count`` None means until cleared."""

    count: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    met: int = 0
    struck: int = 0
    _random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Seed the draws, so that a run can be repeated."""
        self._random = Random(self.seed)

    @property
    def is_spent(self) -> bool:
        """Tell whether the fault has struck as often as it should."""
        return self.count is not None and self.struck >= self.count

    def strikes(self) -> bool:
        """Meet one more candidate; tell whether the fault strikes it."""
        if self.is_spent:
            return False
        self.met += 1
        if self.met <= self.skip:
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.struck += 1
        return True
