"""What tests of the executor hold in hand: decisions in a real log, executor processes, a simulated broker."""

from __future__ import annotations

import os
import select
import signal
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests.contract.alpaca_client import Alpaca
from tests.contract.alpaca_server import KEYS
from tests.eventually import DEADLINE_S, eventually
from tests.faults.nursery import Forked, Nursery
from tests.free_port import free_port
from tradetrail.events import Event
from tradetrail.events.generated import (
    ApiCallRecorded,
    DataLineage,
    DecisionMade,
    MarketContext,
    OrderBlocked,
    OrderSubmitting,
    OrderType,
    OrderUpdated,
    Rationale,
    Side,
    SourceData,
    TimeInForce,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# The small world's second day: before its open, in its session, and after its close.
BEFORE_OPEN = "2020-08-25T11:00:00+00:00"
IN_SESSION = "2020-08-25T13:31:00+00:00"
AFTER_CLOSE = "2020-08-25T20:05:00+00:00"
# A local server answers in milliseconds; only a broken test waits this long.
TIMEOUT_S = 30.0

E = TypeVar("E", bound=Event)


def decision_made(
    name: str,
    symbol: str = "ACME",
    *,
    side: Side = Side.BUY,
    quantity: str = "10",
    strength: str = "5",
    price: str = "101",
    at: str = BEFORE_OPEN,
    limit_price: str | None = None,
) -> DecisionMade:
    """Return a decision; ``name`` makes its id."""
    return DecisionMade(
        event_id=str(derive_id("test-decision-event", name)),
        occurred_at=datetime.fromisoformat(at).astimezone(UTC),
        service="decider",
        service_version="0",
        instance="test",
        symbol=symbol,
        story_id=str(derive_id("test-decision", name)),
        decision_id=str(derive_id("test-decision", name)),
        strategy_name="CongressionalTradingStrategy",
        strategy_version="1",
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT if limit_price else OrderType.MARKET,
        limit_price=Decimal(limit_price) if limit_price else None,
        time_in_force=TimeInForce.DAY,
        rationale=Rationale(
            signal_strength=Decimal(strength),
            confidence_score=Decimal(1),
            trigger_event="congressional_buy",
            source_data=SourceData(consensus_detected=False),
            market_context=MarketContext(
                current_price=Decimal(price), price_as_of=datetime(2020, 8, 24, 20, tzinfo=UTC)
            ),
            data_lineage=DataLineage(),
        ),
        view_through=0,
        configuration_hash="0",
    )


@dataclass
class Process:
    """One executor process."""

    popen: Forked
    port: int
    logs: Path

    def health(self) -> dict[str, Any]:
        """Return what /health says."""
        content: dict[str, Any] = requests.get(
            f"http://127.0.0.1:{self.port}/health", timeout=TIMEOUT_S
        ).json()
        return content

    def wait_active(self) -> None:
        """Wait until it acts for the account."""
        eventually(self.health, lambda health: health["active"])

    def kill(self) -> None:
        """Kill it as power loss would."""
        self.popen.kill()
        self.popen.wait(TIMEOUT_S)

    def wait_dead(self) -> None:
        """Wait until it killed itself."""
        assert self.popen.wait(DEADLINE_S) == -signal.SIGKILL

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.terminate()
        return self.popen.wait(60)


@dataclass
class Desk:
    """A log, a broker, and the executors on them."""

    settings: SharedSettings
    alpaca: Alpaca
    folder: Path
    nursery: Nursery
    processes: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open what writes and reads the log."""
        self.codec = Codec(self.settings.registry_url)
        self.topics = Topics.of(self.settings)
        self.producer = EventProducer(self.settings, self.codec)

    def executor(self, environment: dict[str, str] | None = None, **settings: object) -> Process:
        """Start an executor; keywords are its settings without prefix."""
        port = free_port()
        everything = {
            **os.environ,
            "TRADETRAIL_KAFKA": self.settings.kafka,
            "TRADETRAIL_REGISTRY_URL": self.settings.registry_url,
            "TRADETRAIL_TOPIC_PREFIX": self.settings.topic_prefix,
            "TRADETRAIL_CLOCK_URL": f"{self.alpaca.url}/control/clock",
            "TRADETRAIL_ALPACA_URL": self.alpaca.url,
            "TRADETRAIL_ALPACA_DATA_URL": self.alpaca.url,
            "TRADETRAIL_ALPACA_STREAM_URL": self.alpaca.stream_url,
            "TRADETRAIL_ALPACA_KEY_ID": KEYS.key_id,
            "TRADETRAIL_ALPACA_SECRET_KEY": KEYS.secret_key,
            "TRADETRAIL_HTTP_PORT": str(port),
            "TRADETRAIL_INSTANCE": f"executor-{len(self.processes)}",
            **{f"TRADETRAIL_EXECUTOR_{k.upper()}": str(v) for k, v in settings.items()},
            **(environment or {}),
        }
        logs = self.folder / f"executor-{len(self.processes)}.log"
        process = Process(self.nursery.fork(logs, everything), port, logs)
        self.processes.append(process)
        return process

    def active_executor(self, **settings: object) -> Process:
        """Start an executor and wait until it acts."""
        process = self.executor(None, **settings)
        process.wait_active()
        return process

    def decide(self, *decisions: DecisionMade) -> None:
        """Put decisions into the log, in order."""
        self.producer.send(
            [Outgoing(self.topics.for_symbol(d.symbol or ""), d.symbol or "", d) for d in decisions]
        )

    def tell(self, key: str, event: Event) -> None:
        """Put an event on the control topic."""
        self.producer.send([Outgoing(self.topics.control, key, event)])

    def trade_events(self) -> list[Event]:
        """Return every event of the trade topics, per partition in order."""
        found = []
        for message in read_all(self.settings, self.topics.trade()):
            try:
                found.append(self.codec.decode(message.value).event)
            except BadEvent:
                continue
        return found

    def of(self, kind: type[E], decision: DecisionMade | None = None) -> list[E]:
        """Return the events of one kind, of one decision where given."""
        return [
            event
            for event in self.trade_events()
            if isinstance(event, kind)
            and (decision is None or event.story_id == decision.decision_id)
        ]

    def statuses(self, decision: DecisionMade) -> list[str]:
        """Return the story of a decision as statuses, in log order."""
        story = []
        for event in self.trade_events():
            if event.story_id != decision.decision_id:
                continue
            if isinstance(event, OrderSubmitting):
                story.append("submitting")
            elif isinstance(event, OrderUpdated):
                story.append(event.status.value)
            elif isinstance(event, OrderBlocked):
                story.append(f"blocked {event.control.value}")
        return story

    def calls(self, decision: DecisionMade) -> list[ApiCallRecorded]:
        """Return the recorded calls of a decision."""
        return self.of(ApiCallRecorded, decision)

    def eventually_over(self, *decisions: DecisionMade, within_s: float = DEADLINE_S) -> None:
        """Wait until every decision has its final outcome."""
        for decision in decisions:
            eventually(
                partial(self.statuses, decision),
                lambda story: story and (story[-1] in _OVER or story[-1].startswith("blocked")),
                within_s=within_s,
                every_s=0.1,
            )

    def orders(self) -> list[dict[str, Any]]:
        """Return the broker's own orders."""
        orders: list[dict[str, Any]] = self.alpaca.book()["orders"]
        return orders


_OVER = {"filled", "rejected", "cancelled", "expired", "replaced", "error"}


class Gate:
    """A TCP door in front of a server: closed, it refuses connections; open, it passes bytes both ways."""

    def __init__(self, url: str) -> None:
        """Stand before ``url``, closed, on a port of its own."""
        host, _, port = url.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._server: socketserver.ThreadingTCPServer | None = None

    def open(self) -> None:
        """Let connections through."""
        target = self._target

        class Door(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(target) as far:
                    while True:
                        ready, _, _ = select.select([self.request, far], [], [], TIMEOUT_S)
                        for near_end in ready:
                            sent = near_end.recv(65_536)
                            if not sent:
                                return
                            (far if near_end is self.request else self.request).sendall(sent)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", self._port), Door)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Close the door."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def opened(
    settings: SharedSettings, alpaca: Alpaca, folder: Path, nursery: Nursery
) -> Iterator[Desk]:
    """Yield a desk; stop whatever it started."""
    desk = Desk(settings, alpaca, folder, nursery)
    with ExitStack() as cleanup:
        yield desk
        for process in desk.processes:
            cleanup.callback(process.stop)
