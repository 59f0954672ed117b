"""Armed faults: which strikes what, and how they are told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel

from simulators.alpaca.arming import Arming
from simulators.alpaca.faults import (
    HideFault,
    HttpFault,
    OrderKind,
    OrderRejectFault,
    PartialFillFault,
    PendingChangeFault,
    StreamAlterFault,
    StreamRefuseFault,
    StreamRepeatFault,
)
from simulators.alpaca.interference import Interference, OrderFault


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
        if isinstance(spec, OrderKind):
            self.interference.faults.append(_order_fault(spec, arming))
        self._entries.append(entry)
        return entry.number

    def clear(self) -> None:
        """Disarm everything."""
        self._entries.clear()
        self.interference.faults.clear()

    def on_request(self, method: str, path: str, order: dict[str, Any]) -> list[HttpFault]:
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

    def alters_message(self) -> StreamAlterFault | None:
        """Return how the next stream message is altered, or None."""
        for entry in self._entries:
            if isinstance(entry.spec, StreamAlterFault) and entry.arming.strikes():
                return entry.spec
        return None

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
    if isinstance(spec, PendingChangeFault):
        fault.then, fault.delay_ms = spec.then, spec.delay_ms
    return fault
