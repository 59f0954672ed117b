"""What an activation of the executor works with, and what it tells the health page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.executor.crash import CrashPoints
from services.executor.operators.replies import Replies
from services.executor.settings import ExecutorSettings
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.clock import Clock
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """What every activation of this process works with."""

    shared: SharedSettings
    settings: ExecutorSettings
    alpaca: AlpacaSettings
    topics: Topics
    codec: Codec
    clock: Clock
    stamp: Stamp
    configuration_hash: str
    paper: bool
    crash: CrashPoints
    replies: Replies = field(default_factory=Replies)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the health page may know: a consistent picture after one turn of the loop."""

    positions: dict[str, int]
    pending: int
    unanswered: int
    looked_at: tuple[datetime, ...]
    held: dict[str, str]
    skipped_events: int
    broker: str
    stream: str
    troubled: dict[str, str]
    halted: dict[str, str]
    as_of: datetime | None
