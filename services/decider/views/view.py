"""What a decision can see of a symbol: what the look-back before its trigger holds, through the trigger's offset.

The frozen classes here are all that a strategy gets. They hold no field that the vendor recomputes later, so a strategy
can't look ahead, by construction. ``symbol_state`` cuts them from a partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from tradetrail.events.generated import (
    Cause,
    Direction,
    DisclosureRecorded,
    LineageRun,
    RecordKind,
    ReferenceFact,
    SymbolDataReady,
)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One version of one disclosed trade, as a strategy may see it. Amounts in USD, dates as disclosed.

    ``transaction_type`` is the vendor's word, of an insider the Form 4 code; what follows it is known of insiders only.
    """

    record_id: str
    version: int
    kind: RecordKind
    run_id: str
    place: Cause
    person: str
    direction: Direction
    transacted_on: date | None
    reported_on: date | None
    amount_usd_min: Decimal | None
    amount_usd_max: Decimal | None
    flags: tuple[str, ...]
    transaction_type: str = ""
    shares: Decimal | None = None
    price_usd: Decimal | None = None
    shares_owned_following: Decimal | None = None
    ownership: str | None = None
    officer_title: str | None = None
    is_officer: bool | None = None
    is_director: bool | None = None
    is_ten_percent_owner: bool | None = None
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """The SymbolDataReady a decision is taken on. ``record_ids`` are the records that may set off a trade on it.

    ``stale`` are the others: of those no version 1 is in view, so whether they once set off a trade can't be known, and
    they don't any more; ``stale_text`` says so in words. They may still lend their weight.
    """

    symbol: str
    place: Cause
    occurred_at: datetime
    run: LineageRun
    record_ids: tuple[str, ...]
    stale: tuple[str, ...] = ()
    stale_text: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """A politician's seat on a committee or subcommittee, valid at the trigger; ``fact`` says where it stands."""

    committee_id: str
    committee_name: str
    role: str | None
    fact: ReferenceFact


@dataclass(frozen=True, slots=True)
class Sector:
    """The company's sector, valid at the trigger; ``fact`` says where it stands."""

    name: str
    fact: ReferenceFact


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference facts of a view: the company's sector, and seats by politician (BioGuide id)."""

    sector: Sector | None = None
    seats: Mapping[str, tuple[Seat, ...]] = field(default_factory=dict)


NO_REFERENCE = Reference()


@dataclass(frozen=True, slots=True)
class View:
    """A symbol as of a trigger. ``acted`` are the records that already set off a trade of the asking strategy.

    ``incomplete`` says which event of the look-back can't be read, None when all can.
    """

    disclosures: tuple[Disclosure, ...]
    runs: Mapping[str, LineageRun]
    acted: frozenset[str]
    incomplete: str | None
    reference: Reference = NO_REFERENCE


def disclosure(event: DisclosureRecorded, place: Cause) -> Disclosure:
    """Return what a strategy may see of a recorded disclosure."""
    return Disclosure(
        record_id=event.record_id,
        version=event.version,
        kind=event.kind,
        run_id=event.run_id,
        place=place,
        person=event.person_name,
        direction=event.direction,
        transacted_on=event.transacted_on,
        reported_on=event.reported_on,
        amount_usd_min=event.amount_usd_min,
        amount_usd_max=event.amount_usd_max,
        flags=event.flags,
        transaction_type=event.transaction_type,
        shares=event.shares,
        price_usd=event.price_usd,
        shares_owned_following=event.shares_owned_following,
        ownership=event.ownership,
        officer_title=event.officer_title,
        is_officer=event.is_officer,
        is_director=event.is_director,
        is_ten_percent_owner=event.is_ten_percent_owner,
        person_id=event.person_id,
    )


def lineage_run(event: SymbolDataReady) -> LineageRun:
    """Return the run that a SymbolDataReady sums up."""
    return LineageRun(
        run_id=event.run_id,
        task_name=event.task_name,
        data_source=event.data_source,
        completed_at=event.completed_at,
        records_fetched=event.records_fetched,
    )
