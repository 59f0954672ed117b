"""What two data sources disclose in one round of the decider's campaign: a function of its seed, event ids included.

Many symbols over all partitions; runs that touch several; records updated, repeated and moved away; runs of long ago,
which a window leaves out; values that nobody can read; transactions that were aborted; orders that a person gave, some
twice. Before all of it, the seats of members and the sectors of companies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from tests.integration.disclosed import STAMP, Row, morning, run_events
from tradetrail.events import Event
from tradetrail.events.generated import (
    CommitteeMembershipRecorded,
    Direction,
    DisclosureRecorded,
    DisclosureWithdrawn,
    RecordKind,
    SeatChange,
    SectorRecorded,
    SymbolDataReady,
    WithdrawalReason,
)
from tradetrail.ids import derive_id
from tradetrail.log.stamp import Stamp
from tradetrail.manual_orders import manual_order, submission

CONGRESS, INSIDER = "quiverquant_congress", "quiverquant_insider"
# No data source: who puts reference facts and a person's acts into the log.
REFERENCE, PERSON = "reference", "person"
# Where the simulated Alpaca stands still.
DAY = date(2024, 2, 5)
HELD = {"AAPL": "40@150", "DUNE": "25@90", "RAIL": "12.5@60", "FILM": "300@80", "HRBK": "0.5@30"}
SYMBOLS = (
    *("AAPL", "MSFT", "BRK.B", "NVLT", "QBIT", "HRBK", "VTRX", "DUNE", "RAIL", "MOTR", "FILM"),
    # No price.
    "ZZZQ",
)
# Days before the last morning: some before any look-back, some at its border.
_AGES = (400, 200, 125, 91, 60, 46, 31, 12)
_AMOUNTS = (1_001, 15_001, 50_001, 250_001)
_PEOPLE = tuple(f"Member {name}" for name in "ABCDEFGH")
_INSIDERS = (("Insider Chief", "CEO"), ("Insider Two", "Vice President"), ("Insider Three", ""))
_MEMBERS_MAX = 3
_REPEATED_WITHIN = timedelta(days=6)
_COMMITTEES = ("SSBK", "HSBA", "SSEG", "HSIF", "SSCM", "HSAG")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One transaction of a data source; or, with ``unreadable``, a value under that key which nobody can read."""

    source: str
    events: tuple[Event, ...] = ()
    unreadable: str = ""
    is_aborted: bool = False


@dataclass
class _Author:
    """Writes the script: knows which version of whose record stands where."""

    chance: Random
    known: dict[tuple[str, str, Direction], int] = field(default_factory=dict)
    first_at: dict[tuple[str, str, Direction], datetime] = field(default_factory=dict)

    def rows(self, symbol: str, at: datetime) -> list[Row]:
        """Return what members of Congress disclose of a symbol: new, updated or the same again."""
        chance, found = self.chance, []
        for person in chance.sample(_PEOPLE, chance.randint(1, _MEMBERS_MAX)):
            direction = chance.choice((Direction.BUY, Direction.BUY, Direction.SELL))
            key = (symbol, person, direction)
            version = self.known.get(key, 0)
            # Version 1 is not recorded again after a look-back: an ingestor counts on, whatever it forgot.
            is_old = at - self.first_at.setdefault(key, at) > _REPEATED_WITHIN
            if not version or is_old or chance.random() < 0.5:
                version += 1
            self.known[key] = version
            # What a version says never changes: a repeated one says the same again.
            amount = Random(f"{symbol}{person}{direction}{version}").choice(_AMOUNTS)
            found.append(Row(person, direction, amount, version))
        return found

    def congress(self, run_id: str, at: datetime, symbols: Sequence[str]) -> list[Event]:
        """Return the events of a run of the congress source."""
        events: list[Event] = []
        if self.known and self.chance.random() < 0.3:
            events += self._move(run_id, at)
        for symbol in symbols:
            events += [_of_member(e) for e in run_events(symbol, run_id, at, self.rows(symbol, at))]
        return events

    def _move(self, run_id: str, at: datetime) -> list[Event]:
        """Take a record away from its symbol, as a correction of its ticker does."""
        symbol, person, direction = self.chance.choice(sorted(self.known))
        self.known[symbol, person, direction] += 1
        record_id = str(derive_id("test-record", symbol, person, direction))
        version = self.known[symbol, person, direction]
        return [
            DisclosureWithdrawn(
                event_id=str(derive_id("withdrawn", record_id, version)),
                **STAMP.envelope(at),
                symbol=symbol,
                story_id=run_id,
                record_id=record_id,
                version=version,
                moved_to_symbol="ELSE",
                reason=WithdrawalReason.MOVED,
                run_id=run_id,
                api_call_id=f"{run_id}-call",
            )
        ]

    def insiders(self, run_id: str, at: datetime, symbols: Sequence[str]) -> list[Event]:
        """Return the events of a run of the insider source."""
        events: list[Event] = []
        for symbol in symbols:
            people = self.chance.sample(_INSIDERS, self.chance.randint(1, 2))
            rows = []
            for name, _ in people:
                key = (symbol, name, Direction.BUY)
                self.known[key] = self.known.get(key, 0) + 1
                rows.append(Row(name, version=self.known[key]))
            events += [_of_insider(event) for event in run_events(symbol, run_id, at, rows)]
        return events


def _of_member(event: Event) -> Event:
    if isinstance(event, DisclosureRecorded):
        return replace(event, person_id=_member_id(event.person_name))
    return event


def _member_id(name: str) -> str:
    return f"{name[-1]}000001"


def _reference(chance: Random) -> Delivery:
    """Return seats and sectors that hold from before everything else."""
    run_id, at = "run-reference", morning(DAY) - timedelta(days=500)
    seats = [
        CommitteeMembershipRecorded(
            event_id=str(derive_id("test-seat", person, committee)),
            **STAMP.envelope(at),
            story_id=run_id,
            politician_id=_member_id(person),
            politician_name=person,
            committee_id=committee,
            committee_name=committee,
            valid_from=at.date(),
            change=SeatChange.CREATED,
            run_id=run_id,
            api_call_id=f"{run_id}-call",
        )
        for person in _PEOPLE
        for committee in chance.sample(_COMMITTEES, chance.randint(0, 2))
    ]
    sectors = [
        SectorRecorded(
            event_id=str(derive_id("test-sector", symbol)),
            **STAMP.envelope(at),
            symbol=symbol,
            story_id=run_id,
            company_name=symbol,
            sector=chance.choice(("Financials", "Energy", "Industrials", "Health Care")),
            valid_from=at.date(),
            run_id=run_id,
        )
        for symbol in SYMBOLS
    ]
    return Delivery(REFERENCE, (*seats, *sectors))


def _order(chance: Random, number: int, at: datetime) -> Delivery:
    """Return what a person orders."""
    side, symbol = chance.choice(("buy", "sell")), chance.choice(SYMBOLS)
    order = manual_order(
        symbol, side, str(chance.randint(1, 20)), chance.choice((None, "100")), "day"
    )
    asked = submission(order, "Olga", "a test of the campaign", f"key-{number}")
    return Delivery(PERSON, (asked.act(Stamp("cli", "test").envelope(at)),))


def _of_insider(event: Event) -> Event:
    if isinstance(event, SymbolDataReady):
        return replace(event, task_name="data_fetch:insider_daily", data_source=INSIDER)
    assert isinstance(event, DisclosureRecorded)
    chance = Random(event.event_id)
    title = dict(_INSIDERS)[event.person_name]
    return replace(
        event,
        kind=RecordKind.INSIDER,
        transaction_type=chance.choice("PPPSA"),
        transacted_on=event.reported_on
        and event.reported_on - timedelta(days=chance.randint(1, 9)),
        shares=Decimal(chance.choice((50, 900, 8_000))),
        price_usd=Decimal(chance.choice(("12.5", "101.25"))),
        shares_owned_following=Decimal(chance.choice((9_000, 80_000))),
        ownership="D",
        officer_title=title or None,
        is_officer=bool(title),
        is_director=not title,
    )


def script(seed: str, runs: int) -> list[Delivery]:
    """Return what is disclosed, in order; the reference facts first."""
    chance = Random(seed)
    author, found = _Author(chance), [_reference(chance)]
    ages = sorted(chance.sample(_AGES, min(len(_AGES), runs // 3)), reverse=True)
    for number in range(runs):
        days = ages[number] if number < len(ages) else 5 * (runs - 1 - number) / runs
        at = morning(DAY) - timedelta(days=days)
        symbols = chance.sample(SYMBOLS, chance.randint(3, len(SYMBOLS)))
        source, write = chance.choice(((CONGRESS, author.congress), (INSIDER, author.insiders)))
        events = tuple(write(f"run-{number}", at, symbols))
        if chance.random() < 0.15:
            # The same run, cut off before; done again under another id, its records are the same.
            cut = tuple(replace(event, story_id="cut-off") for event in events)
            found.append(Delivery(source, cut[: len(cut) // 2 + 1], is_aborted=True))
        if number == runs // 2:
            found.append(Delivery(source, unreadable=chance.choice(SYMBOLS)))
        found.append(Delivery(source, events))
        if number > runs // 2 and chance.random() < 0.4:
            # Sometimes the same order again, under the same key: it counts once.
            found += [_order(chance, number, at)] * chance.choice((1, 1, 2))
    return found
