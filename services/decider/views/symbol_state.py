"""What is kept of one symbol, and the views cut from it.

A view is a function of the log alone: it holds what was recorded of the symbol at or before the trigger's offset by an
event that occurred within the look-back before the trigger. When it was folded, what else was, and what a restart left
out because it is older changes nothing. A decision counts from its trigger's offset on, wherever its own event stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.decider.views.manual_acts import ManualActs, ManualTrigger
from services.decider.views.view import Disclosure, Trigger, View, disclosure, lineage_run
from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    DecisionMade,
    DisclosureRecorded,
    DisclosureWithdrawn,
    LineageRun,
    OperatorActed,
    SymbolDataReady,
)

# Clocks of several producers differ: within a partition a later event occurred at most half of this before an earlier
# one. What is that much older than the look-back is neither read nor kept.
CLOCK_MARGIN = timedelta(days=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
# The vendor's field that a correction changes when it moves a record to another symbol.
_TICKER = "Ticker"


class Recorded(NamedTuple):
    """A version of a record, when it was recorded, and whether a corrected ticker brought it here."""

    at: datetime
    offset: int
    disclosure: Disclosure
    is_moved: bool


class Withdrawn(NamedTuple):
    """That a correction took a record away, as of a version."""

    at: datetime
    offset: int
    record_id: str
    version: int


class Run(NamedTuple):
    """A run that delivered something of the symbol."""

    at: datetime
    offset: int
    run: LineageRun


class Acted(NamedTuple):
    """That a record set off a trade: when that was decided, and the offset of the trigger."""

    at: datetime
    offset: int


@dataclass(slots=True)
class Unreadable:
    """An event that can't be read, and how; ``at`` is None until something of the partition tells when it was."""

    at: datetime | None
    offset: int
    text: str


@dataclass(slots=True)
class SymbolState:
    """What the look-back holds of one symbol, in log order, and which records set off a trade: strategy → id → when.

    A record does so once; only one that was recorded anew from its first version on, as after a lost state of the
    ingestor, can do it again after the look-back.
    """

    lookback: timedelta
    recorded: list[Recorded] = field(default_factory=list)
    withdrawn: list[Withdrawn] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    acted: dict[str, dict[str, set[Acted]]] = field(default_factory=dict)
    manual: ManualActs = field(default_factory=ManualActs)

    def fold(self, event: Event, place: Cause) -> Trigger | None:
        """Take one event in log order; return the trigger when it is one."""
        self.keep(event, place)
        return self._trigger(event, place) if isinstance(event, SymbolDataReady) else None

    def keep(self, event: Event, place: Cause) -> None:
        """Take one event without asking what it sets off."""
        at, offset = event.occurred_at, place.offset
        if isinstance(event, DisclosureRecorded):
            is_moved = event.version > 1 and _TICKER in event.changed_fields
            self.recorded.append(Recorded(at, offset, disclosure(event, place), is_moved))
        elif isinstance(event, DisclosureWithdrawn):
            self.withdrawn.append(Withdrawn(at, offset, event.record_id, event.version))
        elif isinstance(event, SymbolDataReady):
            self.runs.append(Run(at, offset, lineage_run(event)))
        elif isinstance(event, DecisionMade):
            self.mark_acted(event)

    def ask(self, act: OperatorActed, place: Cause, symbol: str) -> ManualTrigger | None:
        """Take a person's act in log order; return the trigger when it asks for an answer."""
        since = earlier(act.occurred_at, self.lookback)
        trigger = self.manual.fold(act, place, symbol, since)
        incomplete = self._incomplete(since, place.offset)
        return trigger and replace(trigger, incomplete=incomplete)

    def mark_acted(self, decision: DecisionMade) -> None:
        """Remember that a decision's records set off a trade; a repeat changes nothing."""
        when = Acted(decision.occurred_at, decision.cause.offset if decision.cause else -1)
        acted = self.acted.setdefault(decision.strategy_name, {})
        for record_id in triggering_records(decision):
            acted.setdefault(record_id, set()).add(when)

    def view(self, strategy: str, trigger: Trigger) -> View:
        """Return what ``strategy`` may see on ``trigger``: newest versions in log order."""
        since, through = earlier(trigger.occurred_at, self.lookback), trigger.place.offset
        gone: dict[str, int] = {}
        for each in self.withdrawn:
            if each.at >= since and each.offset <= through:
                gone[each.record_id] = max(each.version, gone.get(each.record_id, 0))
        newest: dict[str, Disclosure] = {}
        first: set[str] = set()
        for at, offset, each_version, _ in self.recorded:
            if at < since or offset > through:
                continue
            record_id, version = each_version.record_id, each_version.version
            if version == 1:
                first.add(record_id)
            if gone.get(record_id, 0) < version:
                known = newest.get(record_id)
                if known is None or known.version < version:
                    newest[record_id] = each_version
        # By the decider's clock, which may be behind the ingestor's: a trade of a record in view always counts.
        decided_since = earlier(since, CLOCK_MARGIN / 2)
        acted = {
            record_id
            for record_id, times in self.acted.get(strategy, {}).items()
            if any(each.at >= decided_since and each.offset < through for each in times)
        }
        return View(
            disclosures=tuple(sorted(newest.values(), key=lambda d: d.place.offset)),
            runs={r.run.run_id: r.run for r in self.runs if r.at >= since and r.offset <= through},
            acted=frozenset(first & acted),
            incomplete=self._incomplete(since, through),
        )

    def prune(self, before: datetime) -> None:
        """Drop what occurred before an instant that no later view reaches, UTC, to bound the memory."""
        self.recorded = [each for each in self.recorded if each.at >= before]
        self.withdrawn = [each for each in self.withdrawn if each.at >= before]
        self.runs = [each for each in self.runs if each.at >= before]
        self.unreadable = [e for e in self.unreadable if e.at is None or e.at >= before]
        for strategy, acted in list(self.acted.items()):
            kept = {r: {each for each in times if each.at >= before} for r, times in acted.items()}
            self.acted[strategy] = {r: times for r, times in kept.items() if times}
            if not self.acted[strategy]:
                del self.acted[strategy]
        self.manual.prune(before)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is kept."""
        seen = self.recorded or self.withdrawn or self.runs or self.unreadable
        return not (seen or self.acted or self.manual.known)

    @property
    def size(self) -> int:
        """Return how many events and marks are kept."""
        facts = len(self.recorded) + len(self.withdrawn) + len(self.runs) + len(self.unreadable)
        return facts + sum(len(acted) for acted in self.acted.values())

    def _incomplete(self, since: datetime, through: int) -> str | None:
        found = [
            each
            for each in self.unreadable
            if each.offset <= through and (each.at is None or each.at >= since)
        ]
        return max(found, key=lambda each: each.offset).text if found else None

    def _trigger(self, event: SymbolDataReady, place: Cause) -> Trigger:
        since = earlier(event.occurred_at, self.lookback)
        asked = {reference.record_id for reference in event.records}
        lowest: dict[str, Recorded] = {}
        for each in self.recorded:
            record_id = each.disclosure.record_id
            if each.at >= since and record_id in asked:
                known = lowest.setdefault(record_id, each)
                if each.disclosure.version < known.disclosure.version:
                    lowest[record_id] = each
        ids = [reference.record_id for reference in event.records]
        fresh = {r for r, each in lowest.items() if each.disclosure.version == 1}
        stale = [r for r in ids if r not in fresh]
        moved = [r for r in stale if r in lowest and lowest[r].is_moved]
        return Trigger(
            symbol=event.symbol or "",
            place=place,
            occurred_at=event.occurred_at,
            run=lineage_run(event),
            record_ids=tuple(r for r in ids if r in fresh),
            stale=tuple(stale),
            stale_text=stale_text(stale, moved, self.lookback) if stale else "",
        )


def earlier(at: datetime, by: timedelta) -> datetime:
    """Return the instant so much before another, UTC, or the first there is: a foreign program may say any time."""
    return at - min(by, at - _EARLIEST)


def stale_text(stale: Sequence[str], moved: Sequence[str], lookback: timedelta) -> str:
    """Return why records set off no trade, in words."""
    why = []
    if moved:
        why.append(f"{len(moved)} came here from another ticker by a correction")
    if aged := len(stale) - len(moved):
        why.append(f"{aged} first recorded before the look-back of {lookback.days} days")
    return (
        f"no version 1 of the new records ({len(stale)}) is in view, so that it can't be known whether they already "
        f"set off a trade: {', '.join(why)}"
    )


def triggering_records(decision: DecisionMade) -> set[str]:
    """Return the records that a decision used and its own run delivered: those it must not act on again."""
    return {
        record.record_id
        for record in decision.rationale.source_data.records
        if record.run_id == decision.batch_id
    }
