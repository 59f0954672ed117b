"""What a decision can see of a symbol: its partition folded through the trigger's offset, and nothing else.

The frozen classes here are all that a strategy gets. They hold no field that the vendor recomputes later, so a strategy
can't look ahead, by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    DecisionMade,
    Direction,
    DisclosureRecorded,
    DisclosureWithdrawn,
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
    """The SymbolDataReady a decision is taken on."""

    symbol: str
    place: Cause
    occurred_at: datetime
    run: LineageRun
    record_ids: tuple[str, ...]


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
    """A symbol as of a trigger. ``acted`` are the records that already set off a trade of the asking strategy."""

    disclosures: tuple[Disclosure, ...]
    runs: Mapping[str, LineageRun]
    acted: frozenset[str]
    incomplete: str | None
    reference: Reference = NO_REFERENCE


@dataclass(slots=True)
class SymbolState:
    """The running fold of one symbol; views are cut from it."""

    newest: dict[str, Disclosure] = field(default_factory=dict)
    runs: dict[str, LineageRun] = field(default_factory=dict)
    acted: dict[str, set[str]] = field(default_factory=dict)
    incomplete: str | None = None
    withdrawn: dict[str, int] = field(default_factory=dict)

    def fold(self, event: Event, place: Cause) -> Trigger | None:
        """Take one event in log order; return the trigger when it is one."""
        if isinstance(event, DisclosureRecorded):
            known = self.newest.get(event.record_id)
            gone = self.withdrawn.get(event.record_id, 0)
            if max(gone, known.version if known else 0) < event.version:
                self.newest[event.record_id] = disclosure(event, place)
        elif isinstance(event, DisclosureWithdrawn):
            self.withdraw(event)
        elif isinstance(event, SymbolDataReady):
            run = lineage_run(event)
            self.runs[event.run_id] = run
            record_ids = tuple(reference.record_id for reference in event.records)
            return Trigger(event.symbol or "", place, event.occurred_at, run, record_ids)
        elif isinstance(event, DecisionMade):
            self.mark_acted(event.strategy_name, triggering_records(event))
        return None

    def withdraw(self, event: DisclosureWithdrawn) -> None:
        """Drop a record that a correction moved elsewhere; a later version may bring it back."""
        known = self.newest.get(event.record_id)
        if known is not None and known.version < event.version:
            del self.newest[event.record_id]
        gone = self.withdrawn.get(event.record_id, 0)
        self.withdrawn[event.record_id] = max(gone, event.version)

    def mark_acted(self, strategy: str, record_ids: Iterable[str]) -> None:
        """Remember that these records set off a trade; a repeat changes nothing."""
        self.acted.setdefault(strategy, set()).update(record_ids)

    def view(self, strategy: str) -> View:
        """Return the view for ``strategy``: newest versions in log order."""
        in_order = sorted(self.newest.values(), key=lambda d: d.place.offset)
        acted = frozenset(self.acted.get(strategy, ()))
        return View(tuple(in_order), dict(self.runs), acted, self.incomplete)


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


def triggering_records(decision: DecisionMade) -> set[str]:
    """Return the records that a decision used and its own run delivered: those it must not act on again."""
    return {
        record.record_id
        for record in decision.rationale.source_data.records
        if record.run_id == decision.batch_id
    }
