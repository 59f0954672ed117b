"""How a control says what it found."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tradetrail.events.generated import Control, RiskCheck
from tradetrail.reports.encode import plain

USD, SHARES, SECONDS, ORDERS, PERCENT, YES_NO = "USD", "shares", "seconds", "orders", "%", "yes=1"
NO_PRICE = "the market data has no last price of the symbol"


@dataclass(frozen=True, slots=True)
class Result:
    """A check to be recorded; ``only_in_flight``: it failed, and would pass without what is under way."""

    check: RiskCheck
    only_in_flight: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """What a control measures: its code, the quantity in words, and the unit of limit and observed."""

    control: Control
    what: str
    unit: str

    def at_most(self, observed: Decimal, limit: Decimal, in_flight: Decimal = Decimal(0)) -> Result:
        """Hold ``observed`` against ``limit``, which itself passes; ``in_flight`` is the part that may yet go away."""
        passed = observed <= limit
        text = f"{self.what} is {plain(observed)} {self.unit}, "
        text += f"{'within' if passed else 'above'} the limit of {plain(limit)} {self.unit}"
        if in_flight:
            text += f"; {plain(in_flight)} {self.unit} of this is under way"
        only_in_flight = not passed and observed - in_flight <= limit
        return Result(self._check(passed, limit, observed, text), only_in_flight)

    def untold(self, limit: Decimal, why: str) -> Result:
        """Say that it can't be measured, which does not pass."""
        return Result(self._check(False, limit, None, f"{self.what} can't be told: {why}"))

    def _check(
        self, passed: bool, limit: Decimal, observed: Decimal | None, explanation: str
    ) -> RiskCheck:
        return RiskCheck(
            control=self.control,
            passed=passed,
            limit=limit,
            observed=observed,
            unit=self.unit,
            explanation=explanation,
        )


def yes_or_no(control: Control, *, passed: bool, observed: bool, limit: bool, why: str) -> Result:
    """Return the result of a control that knows only yes (1) and no (0)."""
    return Result(
        RiskCheck(
            control=control,
            passed=passed,
            limit=Decimal(limit),
            observed=Decimal(observed),
            unit=YES_NO,
            explanation=why,
        )
    )
