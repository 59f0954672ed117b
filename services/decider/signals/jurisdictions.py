"""Which committee's jurisdiction covers which sector of the economy, and whose seats that makes relevant. Pure.

Sectors are the Global Industry Classification Standard's names. Source of the jurisdictions: Rule X of the House, Rule
XXV of the Senate. Left out is who has a say in everything (Appropriations, Budget, Rules, Judiciary, Homeland Security,
the select and joint committees): a seat there says nothing about one company more than about another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.decider.signals.signal import rule_result
from services.decider.views.view import Reference, Seat, Sector
from tradetrail.events.generated import ReferenceFact, RuleResult

COMMITTEE_SECTORS: Mapping[str, tuple[str, ...]] = {
    "HSAG": ("Consumer Staples",),
    "HSAS": ("Industrials",),
    "HSBA": ("Financials", "Real Estate"),
    "HSIF": (
        "Communication Services",
        "Consumer Discretionary",
        "Energy",
        "Health Care",
        "Utilities",
    ),
    "HSII": ("Energy", "Materials"),
    "HSPW": ("Industrials",),
    "HSSY": ("Information Technology",),
    "HSVR": ("Health Care",),
    "HSWM": ("Health Care",),
    "SSAF": ("Consumer Staples",),
    "SSAS": ("Industrials",),
    "SSBK": ("Financials", "Real Estate"),
    "SSCM": (
        "Communication Services",
        "Consumer Discretionary",
        "Industrials",
        "Information Technology",
    ),
    "SSEG": ("Energy", "Materials", "Utilities"),
    "SSEV": ("Industrials", "Utilities"),
    "SSFI": ("Health Care",),
    "SSHR": ("Health Care",),
    "SSVA": ("Health Care",),
}


@dataclass(frozen=True, slots=True)
class Relevance:
    """The company's sector, the committees that cover it, and the members' seats on them, by member.

    ``has_any_seat``: whether a seat of any of these members is known, on whatever committee.
    """

    sector: Sector | None
    committees: tuple[str, ...]
    seats: Mapping[str, tuple[Seat, ...]]
    has_any_seat: bool

    @property
    def facts(self) -> tuple[ReferenceFact, ...]:
        """Return the facts in a fixed order: the sector, then seats by member and committee, each once."""
        used = [self.sector.fact] if self.sector else []
        used += [seat.fact for _, seats in sorted(self.seats.items()) for seat in seats]
        return tuple({(fact.topic, fact.partition, fact.offset): fact for fact in used}.values())

    def rule(
        self, agreeing: Collection[str], opposing: Collection[str], factor: Decimal
    ) -> RuleResult:
        """Return how the rule came out for the members of either side: how many who agree weigh ``factor`` times."""
        more, against = (
            sum(member in self.seats for member in side) for side in (agreeing, opposing)
        )
        if self.sector is None:
            said = "factor 1: the company's sector is not known"
        elif not self.committees:
            said = f"factor 1: no committee of the configuration covers {self.sector.name}"
        elif not self.has_any_seat:
            said = "factor 1: no committee seat of these members is known"
        elif not self.seats:
            said = f"factor 1: none of these members sits on a committee for {self.sector.name}"
        else:
            said = (
                f"factor {factor} for {more} of {len(agreeing)} members who agree and {against} of {len(opposing)} who "
                f"don't: they sit on a committee for {self.sector.name}"
            )
        return rule_result("committee_relevance", Decimal(more), None, more > 0, said)


def relevance_of(
    reference: Reference, members: Iterable[str], covered: Mapping[str, Iterable[str]]
) -> Relevance:
    """Return what the facts say of ``members`` (BioGuide ids); ``covered`` names each committee's sectors by its id."""
    sector = reference.sector
    committees = committees_of(sector.name, covered) if sector else ()
    seated = sorted(member for member in set(members) if member in reference.seats)
    seats = {
        member: found
        for member in seated
        if (found := relevant_seats(reference.seats[member], committees))
    }
    return Relevance(sector, committees, seats, bool(seated))


def committees_of(sector: str, covered: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the committees whose jurisdiction covers ``sector``, in order; the case of names doesn't matter."""
    wanted = sector.strip().casefold()
    return tuple(
        committee
        for committee, sectors in sorted(covered.items())
        if wanted in {each.strip().casefold() for each in sectors}
    )


def relevant_seats(seats: Iterable[Seat], committees: Iterable[str]) -> tuple[Seat, ...]:
    """Return one seat for each of ``committees`` that is sat on: the committee's own before a subcommittee's.

    A subcommittee's id begins with its committee's.
    """
    held = sorted(seats, key=lambda seat: seat.committee_id)
    found = (
        next((seat for seat in held if seat.committee_id.startswith(committee)), None)
        for committee in committees
    )
    return tuple(seat for seat in found if seat is not None)
