"""A real executor on a log of its own, the decisions it sends, and the broker that takes them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from benchmarks.log_rig import Running, service, simulated_alpaca
from tradetrail import sessions
from tradetrail.errors import Fatal
from tradetrail.events.generated import (
    DataLineage,
    DecisionMade,
    MarketContext,
    OrderType,
    Rationale,
    Side,
    SourceData,
    TimeInForce,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# In a session, with a month of prices before it.
NOW = datetime(2024, 4, 2, 14, tzinfo=UTC)
_FIRST_DAY, _LAST_DAY = date(2024, 2, 12), date(2024, 4, 3)
# Every symbol costs this all the time: a market order fills at once, and a limit order below it never.
PRICE, BELOW = Decimal(100), Decimal(99)
_CASH_USD = 1_000_000_000
# Far above anything that happens here: limits are not what is measured.
_PLENTY = 10**9
_NO_LIMITS = {
    "EXECUTOR_ORDER_NOTIONAL_USD_MAX": _PLENTY,
    "EXECUTOR_DAILY_NOTIONAL_USD_MAX": _PLENTY,
    "EXECUTOR_DAILY_ORDER_COUNT_MAX": _PLENTY,
    "EXECUTOR_POSITION_USD_MAX": _PLENTY,
    "EXECUTOR_ORDER_RATE_MAX": _PLENTY,
    "EXECUTOR_DUPLICATE_WINDOW_S": 0,
}
# Placing a thousand orders on a busy machine takes minutes.
_ACTIVE_MAX_S = 900.0
_POLL_S = 0.02
_SEND_MAX = 3_000
_CONTROL_TIMEOUT_S = 60.0


def symbols_of(count: int) -> list[str]:
    """Return the names of ``count`` symbols of the benchmark's world."""
    return [f"S{number:04d}" for number in range(count)]


@dataclass(frozen=True, slots=True)
class BrokerSide:
    """The simulated broker, seen from its own side."""

    url: str

    def slow_down(self, latency_ms: int) -> None:
        """Let every request wait so long before it is acted on; 0 ends that."""
        self._control({"clear_faults": True})
        if latency_ms:
            fault = {"kind": "latency", "latency_ms": latency_ms, "until_cleared": True}
            self._control({"fault": fault})

    def told(self, *parts: str) -> dict[str, Any]:
        """Return parts of the broker's book."""
        answer = requests.get(
            f"{self.url}/control", params={"parts": ",".join(parts)}, timeout=_CONTROL_TIMEOUT_S
        )
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def arrivals(self) -> dict[str, dict[str, Any]]:
        """Return when and how each order came, by client_order_id. Raises Fatal when one came twice."""
        told = self.told("arrivals")["arrivals"]
        found = {each["client_order_id"]: each for each in told}
        if len(found) != len(told):
            raise Fatal(f"{len(told) - len(found)} of {len(told)} POSTs of orders were repeated")
        return found

    def _control(self, command: dict[str, Any]) -> None:
        answer = requests.post(f"{self.url}/control", json=command, timeout=_CONTROL_TIMEOUT_S)
        answer.raise_for_status()


@contextmanager
def broker(symbol_count: int, latency_ms: int = 0) -> Iterator[BrokerSide]:
    """Run a broker of ``symbol_count`` symbols that delays each request by ``latency_ms``."""
    with TemporaryDirectory() as folder:
        _write_world(Path(folder), symbols_of(symbol_count))
        with simulated_alpaca(NOW, "--data", folder, "--cash", str(_CASH_USD)) as url:
            side = BrokerSide(url)
            side.slow_down(latency_ms)
            yield side


@contextmanager
def executor(settings: SharedSettings, at: BrokerSide, **more: object) -> Iterator[Running]:
    """Run an executor whose limits nothing here reaches until the block ends."""
    with service("executor", settings, at.url, **_NO_LIMITS, **more) as running:
        yield running


def health_when(running: Running, what: str, **wanted: object) -> dict[str, Any]:
    """Return /health once it says all that is wanted. Raises Fatal, naming ``what``, when it doesn't in time."""
    deadline, last = time.monotonic() + _ACTIVE_MAX_S, dict[str, Any]()
    while time.monotonic() < deadline:
        try:
            last = running.health()
        except requests.RequestException:
            last = {}
        if last and all(last.get(key) == value for key, value in wanted.items()):
            return last
        time.sleep(_POLL_S)
    raise Fatal(f"{what} did not come about within {_ACTIVE_MAX_S:g} s; /health says {last}")


def decisions(
    name: str, symbols: Sequence[str], count: int, limit_price: Decimal | None = None
) -> list[DecisionMade]:
    """Return ``count`` decisions to buy a share, in turn over ``symbols``; market orders unless there is a limit."""
    stamp = Stamp("decider", "bench")
    found = []
    for number in range(count):
        decision_id = str(derive_id("bench-decision", name, number))
        found.append(
            DecisionMade(
                event_id=str(derive_id("bench-decision-made", decision_id)),
                **stamp.envelope(NOW - timedelta(minutes=1)),
                symbol=symbols[number % len(symbols)],
                story_id=decision_id,
                decision_id=decision_id,
                strategy_name="CongressionalTradingStrategy",
                strategy_version="1",
                side=Side.BUY,
                quantity=Decimal(1),
                order_type=OrderType.LIMIT if limit_price else OrderType.MARKET,
                limit_price=limit_price,
                time_in_force=TimeInForce.DAY,
                rationale=_rationale(),
                view_through=0,
                configuration_hash="0",
            )
        )
    return found


def send(settings: SharedSettings, made: Sequence[DecisionMade]) -> None:
    """Append decisions to the log, in order."""
    topics = Topics.of(settings)
    producer = EventProducer(settings, Codec(settings.registry_url))
    outgoing = [Outgoing(topics.for_symbol(d.symbol or ""), d.symbol or "", d) for d in made]
    for start in range(0, len(outgoing), _SEND_MAX):
        producer.send(outgoing[start : start + _SEND_MAX])


def _rationale() -> Rationale:
    return Rationale(
        signal_strength=Decimal(5),
        confidence_score=Decimal(1),
        trigger_event="congressional_buy",
        source_data=SourceData(consensus_detected=False),
        market_context=MarketContext(current_price=PRICE, price_as_of=NOW - timedelta(days=1)),
        data_lineage=DataLineage(),
    )


def _write_world(folder: Path, symbols: Sequence[str]) -> None:
    days = sessions.sessions(_FIRST_DAY, _LAST_DAY)
    with (folder / "ohlcv.csv").open("w") as prices:
        prices.write("symbol,date,open,high,low,close,volume,split\n")
        for symbol in symbols:
            prices.writelines(
                f"{symbol},{day},{PRICE},{PRICE},{PRICE},{PRICE},1000000,1\n" for day in days
            )
    names = "".join(f"{symbol},{symbol} Incorporated\n" for symbol in symbols)
    (folder / "symbols.csv").write_text(f"symbol,name\n{names}")
