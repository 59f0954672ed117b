"""The kinds of faults: the bodies of ``POST /control {"fault": …}``.

HTTP faults strike requests by method and path (shell patterns) and, for orders, by symbol or client_order_id;
order faults strike orders (``interference``); stream faults strike the trade_updates connections.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.alpaca.arming import Arming
from simulators.alpaca.orders import Then

# An order's life is short beside this: a longer delay is a drop.
DELAY_MS_MAX = 600_000


class _Armed(BaseModel):
    """How often a fault strikes: ``count`` null means until cleared (the default with a probability)."""

    model_config = ConfigDict(extra="forbid")
    count: int | None = Field(default=None, ge=1)
    skip: int = Field(default=0, ge=0)
    probability: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    until_cleared: bool = False

    def arming(self) -> Arming:
        """Return the counter of this fault: once, if nothing else is said."""
        count = self.count
        if count is None and self.probability == 1.0 and not self.until_cleared:
            count = 1
        return Arming(count, self.skip, self.probability, self.seed)


class _OnRequests(_Armed):
    method: str = "*"
    path: str = "*"
    symbol: str | None = None
    client_order_id: str | None = None


class StatusFault(_OnRequests):
    """Answer with a status of our choice, before the broker acts or after it has."""

    kind: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: Literal["json", "html", "empty"] = "json"
    when: Literal["before", "after"] = "before"
    code: int | None = None
    message: str | None = None
    headers: dict[str, str] = {}


class LatencyFault(_OnRequests):
    """Wait before the broker acts, or between its act and the answer."""

    kind: Literal["latency"]
    latency_ms: int = Field(ge=0, le=DELAY_MS_MAX)
    when: Literal["before", "after"] = "before"


class DropFault(_OnRequests):
    """Cut the connection with no answer: after the broker acted, or before it did."""

    kind: Literal["drop"]
    when: Literal["before", "after"] = "after"


class TruncateFault(_OnRequests):
    """Answer half of the JSON: as a whole answer, or (``cut``) as a connection lost on the way."""

    kind: Literal["truncate"]
    cut: bool = False


class LateFault(_OnRequests):
    """Answer 504 (or nothing) at once, and act only after ``delay_ms`` of real time."""

    kind: Literal["late"]
    delay_ms: int = Field(ge=0, le=DELAY_MS_MAX)
    answer: Literal["status", "drop"] = "status"


class HideFault(_Armed):
    """Say 404 to look-ups by client_order_id though the order is there."""

    kind: Literal["hide_order_lookups"]
    client_order_id: str | None = None


class PartialFillFault(_Armed):
    """Fill an order in parts, then the rest: at once, never (``hold``: until the close), or cancelled."""

    kind: Literal["partial_fill"]
    fractions: list[Decimal] = Field(default=[Decimal("0.5")], min_length=1)
    rest: Literal["fill", "hold", "cancel"] = "fill"
    symbol: str | None = None
    side: Literal["buy", "sell"] | None = None
    client_order_id: str | None = None


class OrderRejectFault(_Armed):
    """Reject an order after accepting it."""

    kind: Literal["reject"]
    symbol: str | None = None
    side: Literal["buy", "sell"] | None = None
    client_order_id: str | None = None


class PendingChangeFault(_Armed):
    """Let a cancellation hang in pending_cancel, or a replacement in pending_replace, and say what comes of it.

    ``done`` as asked, ``filled``: the order trades first, ``rejected``: it stays as it was. That comes ``delay_ms`` of
    real time after the answer (0: at once); without, at the close. A replacement is chosen by its old order.
    """

    kind: Literal["pending_cancel", "pending_replace"]
    then: Then = "done"
    delay_ms: int | None = Field(default=None, ge=0, le=DELAY_MS_MAX)
    symbol: str | None = None
    client_order_id: str | None = None


class DoneForDayFault(_Armed):
    """Take an order out of the session it has reached: done_for_day; a gtc order is new again at the next open."""

    kind: Literal["done_for_day"]
    symbol: str | None = None
    client_order_id: str | None = None


class AlterFault(_OnRequests):
    """Answer with other fields than the broker's: ``fields`` set, ``without`` left out; in a list, of each object."""

    kind: Literal["alter"]
    fields: dict[str, Any] = {}
    without: list[str] = []


class StreamDropFault(BaseModel):
    """Close every trade_updates connection now; ``abort`` cuts the socket without a goodbye."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["stream_drop"]
    code: int = Field(default=1011, ge=1000, le=4999)
    abort: bool = False


class StreamMuteFault(BaseModel):
    """Keep the connections open and lose every message, until cleared or for ``messages`` of them."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["stream_mute"]
    messages: int | None = Field(default=None, ge=1)


class StreamAlterFault(_Armed):
    """Tell other fields on the stream: of the message's data (``event`` …), and of the order in it."""

    kind: Literal["stream_alter"]
    fields: dict[str, Any] = {}
    order_fields: dict[str, Any] = {}
    order_without: list[str] = []


class StreamRepeatFault(_Armed):
    """Deliver a message twice."""

    kind: Literal["stream_repeat"]


class StreamRefuseFault(_Armed):
    """Refuse a new trade_updates connection with 429."""

    kind: Literal["stream_refuse"]


HttpFault = StatusFault | LatencyFault | DropFault | TruncateFault | LateFault | AlterFault
OrderKind = PartialFillFault | OrderRejectFault | DoneForDayFault | PendingChangeFault
Fault = Annotated[
    HttpFault
    | OrderKind
    | HideFault
    | StreamDropFault
    | StreamMuteFault
    | StreamAlterFault
    | StreamRepeatFault
    | StreamRefuseFault,
    Field(discriminator="kind"),
]
