"""Armed faults and how they are told: the bodies of ``POST /control {"fault": …}``.

HTTP faults strike requests by method and path (shell patterns) and, for orders, by symbol or client_order_id;
order faults strike orders (``interference``); stream faults strike the trade_updates connections.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.alpaca.arming import Arming
from simulators.alpaca.interference import Interference, OrderFault

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


class PendingCancelFault(_Armed):
    """Let a cancellation hang in pending_cancel until the close."""

    kind: Literal["pending_cancel"]
    symbol: str | None = None
    client_order_id: str | None = None


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


class StreamRepeatFault(_Armed):
    """Deliver a message twice."""

    kind: Literal["stream_repeat"]


class StreamRefuseFault(_Armed):
    """Refuse a new trade_updates connection with 429."""

    kind: Literal["stream_refuse"]


HttpFault = StatusFault | LatencyFault | DropFault | TruncateFault | LateFault
OrderKind = PartialFillFault | OrderRejectFault | PendingCancelFault
Fault = Annotated[
    HttpFault
    | OrderKind
    | HideFault
    | StreamDropFault
    | StreamMuteFault
    | StreamRepeatFault
    | StreamRefuseFault,
    Field(discriminator="kind"),
]


@dataclass(slots=True)
class _Entry:
    """An armed fault with its counter."""

    number: int
    spec: BaseModel
    arming: Arming


@dataclass(slots=True)
class ArmedFaults:
    """All armed faults, in the order they were armed."""

    interference: Interference
    _entries: list[_Entry] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def arm(self, spec: Any) -> int:
        """Arm a fault; return its number. Stream drops and mutes act at once and are armed elsewhere."""
        arming = spec.arming()
        entry = _Entry(next(self._numbers), spec, arming)
        if isinstance(spec, PartialFillFault | OrderRejectFault | PendingCancelFault):
            self.interference.faults.append(_order_fault(spec, arming))
        self._entries.append(entry)
        return entry.number

    def clear(self) -> None:
        """Disarm everything."""
        self._entries.clear()
        self.interference.faults.clear()

    def on_request(
        self, method: str, path: str, order: dict[str, Any]
    ) -> list[StatusFault | LatencyFault | DropFault | TruncateFault | LateFault]:
        """Return the HTTP faults that strike a request; ``order`` is its JSON body, if it has one."""
        return [
            entry.spec
            for entry in self._entries
            if isinstance(entry.spec, HttpFault)
            and _is_meant(entry.spec, method, path, order)
            and entry.arming.strikes()
        ]

    def hides(self, client_order_id: str) -> bool:
        """Tell whether this look-up must not find its order."""
        return any(
            isinstance(entry.spec, HideFault)
            and entry.spec.client_order_id in (None, client_order_id)
            and entry.arming.strikes()
            for entry in self._entries
        )

    def repeats_message(self) -> bool:
        """Tell whether a stream message goes out twice."""
        return self._strikes(StreamRepeatFault)

    def refuses_stream(self) -> bool:
        """Tell whether a new stream connection is refused."""
        return self._strikes(StreamRefuseFault)

    def told(self) -> list[dict[str, Any]]:
        """Return every armed fault with what it has done so far."""
        return [
            {
                "number": entry.number,
                **entry.spec.model_dump(mode="json"),
                "met": entry.arming.met,
                "struck": entry.arming.struck,
                "is_spent": entry.arming.is_spent,
            }
            for entry in self._entries
        ]

    def _strikes(self, kind: type[BaseModel]) -> bool:
        return any(isinstance(e.spec, kind) and e.arming.strikes() for e in self._entries)


def _is_meant(spec: HttpFault, method: str, path: str, order: dict[str, Any]) -> bool:
    if not fnmatchcase(method, spec.method.upper()) or not fnmatchcase(path, spec.path):
        return False
    return all(
        wanted is None or order.get(name) == wanted
        for name, wanted in (("symbol", spec.symbol), ("client_order_id", spec.client_order_id))
    )


def _order_fault(spec: OrderKind, arming: Arming) -> OrderFault:
    fault = OrderFault(spec.kind, arming, spec.symbol, client_order_id=spec.client_order_id)
    if isinstance(spec, PartialFillFault | OrderRejectFault):
        fault.side = spec.side
    if isinstance(spec, PartialFillFault):
        fault.fractions, fault.rest = tuple(spec.fractions), spec.rest
    return fault
