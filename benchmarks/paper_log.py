"""A log without servers, decided by the decider's own loop step: as many decisions as wanted, for replays to read."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zlib import crc32

from services.decider.answering.answers import Desk
from services.decider.catalogue import available
from services.decider.contexts.context import Call, DailyBar, Portfolio, Reading
from services.decider.contexts.context_wait import ContextWait
from services.decider.replay.history import Answer, as_answer
from services.decider.service import Decider
from services.decider.settings import DeciderSettings
from services.decider.views.memory import Memory
from tradetrail.clock import FixedClock
from tradetrail.events import Event
from tradetrail.events.generated import CallPurpose, ConfigurationRecorded
from tradetrail.exchange import Exchange
from tradetrail.ids import derive_id
from tradetrail.log.codec import Codec
from tradetrail.log.entry import read_entry
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import Place, Received
from tradetrail.log.stamp import Stamp
from tradetrail.log.straight import Form
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings, canonical_json, configuration, configuration_hash

TOPIC = "trade.default"
CONGRESS = "CongressionalTradingStrategy"
NOW = datetime(2024, 2, 5, 12, tzinfo=UTC)
_SEND_MAX = 5_000


class _Registry:
    """Schemas by number, in this process."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def set_compatibility(self, *_: object) -> None:
        return

    def register_schema(self, _subject: str, schema: Any) -> int:
        if schema.schema_str not in self._texts:
            self._texts.append(schema.schema_str)
        return self._texts.index(schema.schema_str) + 1

    def get_schema(self, number: int) -> Any:
        return SimpleNamespace(schema_str=self._texts[number - 1])


def local_codec(form: Form = Form.TYPED) -> Codec:
    """Return a codec that asks no server."""
    codec = Codec("http://127.0.0.1:9", form)
    codec._client = _Registry()  # type: ignore[assignment]
    return codec


class SteadyMarket:
    """Every symbol has 21 sessions and a price of its own; the account holds what was said."""

    def __init__(self, positions: dict[str, Decimal] | None = None) -> None:
        self.positions = positions or {}
        self.value = Decimal(1_000_000)

    def read(
        self, symbols: Sequence[str], now: datetime, *, with_portfolio: bool, until: float
    ) -> Reading:
        """Return the sessions of the last 21 days, and the portfolio."""
        exchange = Exchange("GET", "/v2/any", {}, 200, None, b"{}", {}, 1)
        calls = [Call(CallPurpose.MARKET_CONTEXT, exchange, tuple(symbols))]
        if with_portfolio:
            calls.append(Call(CallPurpose.PORTFOLIO_CONTEXT, exchange, None))
        bars = {symbol: _bars(symbol, now) for symbol in symbols}
        portfolio = Portfolio(self.value, self.value, self.positions) if with_portfolio else None
        return Reading(portfolio, bars, tuple(calls))


def _bars(symbol: str, now: datetime) -> tuple[DailyBar, ...]:
    price = Decimal(20 + crc32(symbol.encode()) % 200)
    return tuple(
        DailyBar(now - timedelta(days=30 - n), price + Decimal(n % 3), Decimal(1_000_000 + n))
        for n in range(21)
    )


@dataclass
class PaperLog:
    """Partitions as lists of messages."""

    partitions: int = 2
    topic: str = TOPIC
    codec: Codec = field(default_factory=local_codec)
    messages: dict[Place, list[Received]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[str, str] = field(default_factory=dict)

    def place(self, symbol: str) -> Place:
        """Return where a symbol's events stand."""
        return (self.topic, crc32(symbol.encode()) % self.partitions)

    def places(self) -> list[Place]:
        """Return every partition."""
        return [(self.topic, number) for number in range(self.partitions)]

    def append(self, symbol: str, value: bytes) -> Received:
        """Append a value under a symbol."""
        place = self.place(symbol)
        there = self.messages[place]
        there.append(Received(*place, len(there), symbol.encode(), value, NOW))
        return there[-1]

    def publish(self, events: Iterable[Event]) -> None:
        """Append events under their symbols."""
        for event in events:
            self.append(event.symbol or "", self.codec.encode(event))

    def read(self, place: Place) -> Iterator[Received]:
        """Yield a partition's messages."""
        return iter(tuple(self.messages[place]))

    def answers(self) -> list[Answer]:
        """Return every answer, partition by partition."""
        messages = (m for place in sorted(self.messages) for m in self.read(place))
        decoded = (read_entry(self.codec, message).decoded for message in messages)
        events = (each.event for each in decoded if each is not None)
        return [each for event in events if (each := as_answer(event)) is not None]

    def copy_to(self, shared: SharedSettings) -> None:
        """Write the log to Kafka, whose default group has one partition, and the configurations with it.

        Without transactions, so that every offset is the same there; what was taken out leaves a harmless event.
        """
        codec = Codec(shared.registry_url)
        producer = EventProducer(shared, codec)
        control = Topics.of(shared).control
        recorded = [self._recorded(digest, None) for digest in self.texts]
        producer.send([Outgoing(control, "decider", event) for event in recorded])
        outgoing: list[Outgoing] = []
        for message in self.read((self.topic, 0)):
            while len(outgoing) < message.offset:
                outgoing.append(Outgoing(self.topic, "GAP", self._recorded("0", "GAP")))
            event = self.codec.decode(message.value).event
            outgoing.append(Outgoing(self.topic, (message.key or b"").decode(), event))
        for start in range(0, len(outgoing), _SEND_MAX):
            producer.send(outgoing[start : start + _SEND_MAX])

    def _recorded(self, digest: str, symbol: str | None) -> ConfigurationRecorded:
        stamp = Stamp("decider", "paper")
        return ConfigurationRecorded(
            event_id=str(derive_id("configuration", "decider", digest)),
            **stamp.envelope(NOW),
            symbol=symbol,
            configuration_hash=digest,
            scope="decider" if symbol is None else symbol,
            configuration=self.texts.get(digest, "{}"),
        )

    def alter(self, change: Callable[[Answer], Answer | None]) -> None:
        """Put what ``change`` makes of each answer in its place; None takes it out."""
        for place, there in self.messages.items():
            kept: list[Received] = []
            for message in there:
                answer = as_answer(self.codec.decode(message.value).event)
                value = message.value
                if answer is not None:
                    altered = change(answer)
                    if altered is None:
                        continue
                    value = self.codec.encode(altered)
                kept.append(
                    Received(*place, message.offset, message.key, value, message.appended_at)
                )
            self.messages[place] = kept


class PaperDecider:
    """The live decider on a paper log, batch by batch."""

    def __init__(
        self,
        log: PaperLog,
        market: SteadyMarket | None = None,
        strategies: Sequence[str] = (CONGRESS,),
        lookback_days: int = 120,
    ) -> None:
        """Decide with these strategies as they come; the configuration is recorded."""
        settings = DeciderSettings(strategies=tuple(strategies), lookback_days=lookback_days)
        chosen = [available()[name](available()[name].settings_type()) for name in strategies]
        content = configuration(settings) | {
            "strategies": {s.name: {"version": s.version, **s.configuration()} for s in chosen}
        }
        self._log = log
        self.digest = configuration_hash(content)
        log.texts[self.digest] = canonical_json(content)
        self.clock = FixedClock(NOW)
        stop = threading.Event()
        contexts = ContextWait(market or SteadyMarket(), stop)
        desk = Desk(Stamp("decider", "paper"), settings, self.digest, self.clock, contexts)
        self._memory = Memory(SharedSettings(), log.codec, settings.lookback_days)
        self._memory.begin(log.places())
        self._decider = Decider(self._memory, desk, chosen, stop)
        self._read: dict[Place, int] = {}

    def fold_all(self) -> None:
        """Take what is in the log by now for answered."""
        for place, there in self._log.messages.items():
            for message in there:
                self._memory.fold(read_entry(self._log.codec, message))
            self._read[place] = len(there)

    def decide(self, batch_max: int = 200) -> None:
        """Answer all that is in the log by now; answers land behind it, batch by batch."""
        ends = {place: len(there) for place, there in self._log.messages.items()}
        for place, end in sorted(ends.items()):
            begin = self._read.get(place, 0)
            for start in range(begin, end, batch_max):
                batch = self._log.messages[place][start : min(start + batch_max, end)]
                self.clock.instant = NOW
                entries = [read_entry(self._log.codec, message) for message in batch]
                self._log.publish(
                    out.event for out in self._decider.process(entries) if out.event is not None
                )
            self._read[place] = end
