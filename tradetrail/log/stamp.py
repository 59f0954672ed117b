"""Who makes an event: the same in every event of one process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradetrail import __version__


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every event of one process carries: who made it."""

    service: str
    instance: str
    version: str = __version__

    def envelope(self, occurred_at: datetime) -> dict[str, Any]:
        """Return the envelope fields that come from the process and its clock."""
        return {
            "occurred_at": occurred_at,
            "service": self.service,
            "service_version": self.version,
            "instance": self.instance,
        }
