"""A partition as the ingestor and a decider write it together, drawn at random, for tests of what a decider remembers.

Records are created, corrected, moved between symbols, and learnt anew by an ingestor that lost its state; time stands
still, goes on, leaps over the look-back; clocks differ by hours; some events can't be read; the decider answers late,
in batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from services.decider.answering.decision import Making, Question, decline_before_context, made
from services.decider.settings import DeciderSettings
from services.decider.strategies.insider import CorporateInsiderStrategy, InsiderSettings
from services.decider.views.memory import Memory
from services.decider.views.symbol_state import CLOCK_MARGIN
from services.decider.views.view import Trigger, View
from tests.unit.decider_views import context, lot
from tests.unit.test_decider_properties import recorded
from tradetrail.events import CATALOGUE, Event
from tradetrail.events.generated import (
    ApiCallRecorded,
    DeadLetterReason,
    DecisionMade,
    DisclosureRecorded,
    DisclosureWithdrawn,
    RecordReference,
    SymbolDataReady,
    WithdrawalReason,
)
from tradetrail.events.schemas import parsed_schema
from tradetrail.ids import derive_id
from tradetrail.log.codec import BadEvent, Codec, _Writer
from tradetrail.log.entry import read_entry
from tradetrail.log.event_head import occurred_at
from tradetrail.log.reader import Received
from tradetrail.log.stamp import Stamp
from tradetrail.settings import SharedSettings

PLACE = ("trade.default", 0)
SYMBOLS = ("AAA", "BBB", "CCC")
LOOKBACK_DAYS = 10
BEGIN = datetime(2020, 1, 6, 12, tzinfo=UTC)
STAMP = Stamp("ingestor", "test")
# Whatever an insider buys is followed, so that much happens.
STRATEGY = CorporateInsiderStrategy(
    InsiderSettings(lookback_days=LOOKBACK_DAYS, strength_min=Decimal("0.1"))
)
# A step of time before a run, hours; how far a clock is off, hours; which symbol; what is done to how many records.
STEPS = st.sampled_from([0, 0, 6, 24, 60, 24 * (LOOKBACK_DAYS - 1), 24 * LOOKBACK_DAYS, 24 * 40])
CLOCKS = st.integers(-5, 5)
ACTIONS = st.sampled_from(
    ["create", "create", "correct", "correct", "move", "break", "garble", "relearn"]
)
RUNS = st.tuples(
    STEPS, CLOCKS, st.lists(st.tuples(ACTIONS, st.integers(0, 99)), min_size=1, max_size=4)
)
# After each run the decider takes so many events as one batch; none: it falls behind.
HISTORIES = st.lists(st.tuples(RUNS, st.integers(0, 12)), min_size=2, max_size=9)


class FileCodec(Codec):
    """A codec on the schema files themselves, without a registry."""

    def __init__(self) -> None:
        """Number the types as the catalogue has them."""
        super().__init__("http://127.0.0.1:9")
        self._names = sorted(CATALOGUE)

    def register(self, type_name: str) -> int:
        """Return the type's number."""
        return self._names.index(type_name) + 1

    def _fetch(self, schema_id: int) -> _Writer:
        if not 0 < schema_id <= len(self._names):
            raise BadEvent(DeadLetterReason.UNKNOWN_SCHEMA, f"no schema {schema_id}", schema_id)
        name = self._names[schema_id - 1]
        return _Writer(name, parsed_schema(name), "", differs=False)


@dataclass
class Answered:
    """A trigger, what the decider saw on it, and what set off a trade."""

    trigger: Trigger
    view: View
    acted_on: frozenset[str]


@dataclass
class Partition:
    """The log of one partition, and a decider that reads it without a break."""

    codec: FileCodec = field(default_factory=FileCodec)
    messages: list[Received] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    # Offset processed through → where the log ended then, for each batch.
    commits: list[tuple[int, int]] = field(default_factory=list)
    decisions: dict[int, DecisionMade] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    relearnt: set[str] = field(default_factory=set)
    _latest: datetime = BEGIN
    _taken: int = 0
    _offset: int = 0

    def __post_init__(self) -> None:
        """Begin with an empty memory."""
        self.memory = self.fresh()
        self.memory.begin([PLACE])

    def fresh(self) -> Memory:
        """Return a memory of nothing."""
        return Memory(SharedSettings(), self.codec, LOOKBACK_DAYS)

    def append(self, symbol: str, value: bytes) -> None:
        """Put bytes into the log; offsets have gaps."""
        self._offset += 1 + len(value) % 3
        self.messages.append(
            Received(*PLACE, self._offset, symbol.encode(), value, datetime.now(UTC))
        )

    def write(self, event: Event) -> None:
        """Put an event into the log."""
        self._latest = max(self._latest, event.occurred_at)
        self.append(event.symbol or "", self.codec.encode(event))

    def run(self, number: int, at: datetime, actions: list[tuple[str, int]]) -> None:
        """Deliver one run."""
        delivered: dict[str, list[RecordReference]] = {}
        for index, (action, pick) in enumerate(actions):
            self._act(f"{number}-{index}", at, action, pick, delivered)
        for symbol, references in delivered.items():
            ready = SymbolDataReady(
                event_id=str(derive_id("ready", number, symbol)),
                **STAMP.envelope(at),
                symbol=symbol,
                run_id=f"run-{number}",
                task_name="task",
                data_source="quiverquant_insider",
                completed_at=at,
                records_fetched=len(references),
                records=tuple(references),
            )
            self.write(ready)

    def _act(
        self,
        name: str,
        at: datetime,
        action: str,
        pick: int,
        delivered: dict[str, list[RecordReference]],
    ) -> None:
        if action == "garble":
            self.append(SYMBOLS[pick % 3], b"\x00\x00\x00\x00\x01nothing"[: 1 + pick % 12])
            return
        if action == "create" or not self.versions:
            record_id, symbol = str(derive_id("record", name)), SYMBOLS[pick % 3]
        else:
            record_id = sorted(self.versions)[pick % len(self.versions)]
            symbol = self.homes[record_id]
        version = self.versions.get(record_id, 0) + 1
        if action == "relearn" and version > 1:
            version = 1
            self.relearnt.add(record_id)
        changed = ("Shares",)
        if action == "move" and version > 1:
            symbol, left = SYMBOLS[(SYMBOLS.index(symbol) + 1) % 3], symbol
            changed = ("Ticker",)
            self.write(withdrawn(name, at, left, symbol, record_id, version))
        event = disclosed(name, at, symbol, record_id, version, changed)
        if action == "break":
            # With and without the first bytes that tell when it was; of a type that no view holds, too.
            cut = (60, 30, 6)[pick % 3]
            kind = (DisclosureRecorded, ApiCallRecorded)[pick % 2]
            header = b"\x00" + self.codec.register(kind.TYPE).to_bytes(4, "big")
            self.append(symbol, header + self.codec.encode(event)[5:cut])
            return
        self.versions[record_id], self.homes[record_id] = version, symbol
        self.write(event)
        reference = RecordReference(record_id=record_id, version=version, event_id=event.event_id)
        delivered.setdefault(symbol, []).append(reference)

    def decide(self, count: int) -> None:
        """Let the decider take a batch; its answers come into the log behind whatever stands there."""
        batch = self.messages[self._taken : self._taken + count]
        self._taken += len(batch)
        outputs = []
        for message in batch:
            trigger = self.memory.fold(read_entry(self.codec, message))
            if isinstance(trigger, Trigger):
                outputs += self._answer(trigger)
        for event in outputs:
            self.write(event)
        if batch:
            self.commits.append((batch[-1].offset + 1, len(self.messages)))

    @property
    def is_behind(self) -> bool:
        """Tell whether something is left to be taken."""
        return self._taken < len(self.messages)

    def _answer(self, trigger: Trigger) -> list[Event]:
        view = self.memory.view(PLACE, trigger, STRATEGY.name)
        question = Question(STRATEGY, trigger, view, STRATEGY.evaluate(view, trigger))
        if decline_before_context(question):
            self.answered.append(Answered(trigger, view, frozenset()))
            return []
        # However late it answers, it does so by today's clock, and that is behind the others'.
        now = self._latest - timedelta(hours=5)
        making = Making(Stamp("decider", "test"), DeciderSettings(), "0", now)
        decision = made(question, making, context(position="10"), Decimal(10))
        self.memory.mark_acted(PLACE, trigger.symbol, decision)
        self.decisions[trigger.place.offset] = decision
        used = {each.record_id for each in question.signal.used}
        fresh = frozenset(trigger.record_ids) & used - view.acted
        self.answered.append(Answered(trigger, view, fresh))
        return [decision]


def restarted(log: Partition, commit: int, spare: int) -> list[tuple[Trigger, View]]:
    """Return what a decider sees that starts at a commit, having read as little as it may and ``spare`` events more."""
    committed, end = log.commits[commit]
    before = [m for m in log.messages if m.offset < committed]
    times = {m.offset: at for m in before if (at := occurred_at(m.value)) is not None}
    border = max(times.values(), default=BEGIN) - timedelta(days=LOOKBACK_DAYS) - CLOCK_MARGIN
    old = [offset for offset, at in times.items() if at < border]
    first = max(old, default=-1) + 1
    memory = log.fresh()
    memory.begin([PLACE])
    skipped = sum(m.offset < first for m in log.messages)
    for m in log.messages[max(skipped - spare, 0) : end]:
        memory.keep(PLACE, m.offset, m.key, m.value, m.offset >= committed)
    seen = []
    for message in log.messages:
        if message.offset >= committed:
            trigger = memory.fold(read_entry(log.codec, message))
            if isinstance(trigger, Trigger):
                seen.append((trigger, memory.view(PLACE, trigger, STRATEGY.name)))
                if decision := log.decisions.get(trigger.place.offset):
                    memory.mark_acted(PLACE, trigger.symbol, decision)
    return seen


def disclosed(
    name: str, at: datetime, symbol: str, record_id: str, version: int, changed: tuple[str, ...]
) -> DisclosureRecorded:
    """Return a version of a record; each insider's purchase is larger than the one before."""
    facts: dict[str, Any] = {
        "reported_on": at.date(),
        "transacted_on": at.date() - timedelta(days=1),
    }
    one = lot(
        1,
        f"Person {name}",
        record_id=record_id,
        version=version,
        run_id=f"run-{name.split('-')[0]}",
        **facts,
    )
    return replace(
        recorded(one),
        event_id=str(derive_id("event", name, record_id, version)),
        occurred_at=at,
        symbol=symbol,
        shares=Decimal(1_000 + int(derive_id(record_id)) % 9_999),
        changed_fields=changed if version > 1 else (),
    )


def withdrawn(
    name: str, at: datetime, left: str, moved_to: str, record_id: str, version: int
) -> DisclosureWithdrawn:
    """Return what the symbol that a record leaves is told."""
    return DisclosureWithdrawn(
        event_id=str(derive_id("withdrawn", name, record_id, version)),
        **STAMP.envelope(at),
        symbol=left,
        record_id=record_id,
        version=version,
        moved_to_symbol=moved_to,
        reason=WithdrawalReason.MOVED,
        run_id=f"run-{name.split('-')[0]}",
        api_call_id="call",
    )
