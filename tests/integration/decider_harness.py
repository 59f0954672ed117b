"""What tests of the decider hold in hand: its process, what it said so far, and a simulated Alpaca."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import requests

from tests.eventually import eventually
from tests.faults.nursery import Forked, Nursery, nursery
from tests.free_port import free_port
from tradetrail.events import Event
from tradetrail.events.generated import DecisionDeclined, DecisionMade
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.reader import read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# As much of a decider's last words as a failure shows, characters.
_SAID_MAX = 3_000


@dataclass
class Decider:
    """The decider as a process, and what it said so far."""

    log: SharedSettings
    env: dict[str, str]
    process: Forked
    log_file: Path

    def said(self, symbol: str) -> list[DecisionMade | DecisionDeclined]:
        """Return its answers on a symbol so far."""
        answers = (DecisionMade, DecisionDeclined)
        return [e for e in self.events(symbol) if isinstance(e, answers) and e.symbol == symbol]

    def events(self, symbol: str) -> list[Event]:
        """Return all that can be read of the symbol's topic."""
        codec, found = Codec(self.log.registry_url), []
        for message in read_all(self.log, [Topics.of(self.log).for_symbol(symbol)]):
            try:
                found.append(codec.decode(message.value).event)
            except BadEvent:
                continue
        return found

    def answers(self, symbol: str, count: int) -> list[DecisionMade | DecisionDeclined]:
        """Return its answers on a symbol once there are so many."""
        eventually(lambda: len(self.said(symbol)) >= count)
        return self.said(symbol)

    def kill(self) -> None:
        """Kill it as power loss would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def start(self, **env: str) -> None:
        """Start it again, with more settings if given."""
        self.log_file = _new_log_file()
        self.process = launch({**self.env, **env}, self.log_file)


def launch(env: dict[str, str], log_file: Path | None = None) -> Forked:
    """Start a decider; what it says goes to a file."""
    return _nursery("services.decider").fork(log_file or _new_log_file(), env)


def _new_log_file() -> Path:
    return _folder() / f"decider-{uuid4().hex}.log"


@cache
def _nursery(module: str) -> Nursery:
    """Return where processes of a module are born, in milliseconds each; it ends with this process."""
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(nursery(module))


@cache
def _folder() -> Path:
    folder = Path(mkdtemp(prefix="tradetrail-deciders-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def simulated_alpaca() -> Iterator[str]:
    """Yield the address of a simulated Alpaca before the open of 2024-02-05."""
    port = free_port()
    words = ("--port", str(port), "--rate-limit", "0", "--now", "2024-02-05T07:00:00-05:00")
    said = _folder() / f"alpaca-{uuid4().hex}.log"
    process = _nursery("simulators.alpaca").fork(said, os.environ, words)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(f"{url}/control/clock"))
        yield url
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def running_decider(
    log: SharedSettings, alpaca: str, *, context_wait_s: float = 30
) -> Iterator[Decider]:
    """Yield a decider on this log and Alpaca, and see that it stops when asked to.

    ``context_wait_s``: below the minute that a rate limit lasts, well above what a busy machine needs.
    """
    env = {
        **os.environ,
        "TRADETRAIL_KAFKA": log.kafka,
        "TRADETRAIL_REGISTRY_URL": log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": log.topic_prefix,
        "TRADETRAIL_CLOCK_URL": f"{alpaca}/control/clock",
        "TRADETRAIL_ALPACA_URL": alpaca,
        "TRADETRAIL_ALPACA_DATA_URL": alpaca,
        "TRADETRAIL_ALPACA_KEY_ID": "simulated-key-id",
        "TRADETRAIL_ALPACA_SECRET_KEY": "simulated-secret-key",
        "TRADETRAIL_DECIDER_CONTEXT_WAIT_S": str(context_wait_s),
    }
    log_file = _new_log_file()
    running = Decider(log, env, launch(env, log_file), log_file)
    try:
        yield running
    finally:
        running.process.terminate()
        code = running.process.wait(60)
    said = running.log_file.read_text(errors="replace")[-_SAID_MAX:]
    assert code == 0, f"asked to stop, it stops by itself, not with {code}: …{said}"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.RequestException:
        return False
