"""Tells when the whole system has nothing left to do at the present simulated instant.

Idle means: every service has processed every partition it reads up to the high watermark, and the watermarks did not
move while we looked. A service that is away (killed, restarting) is not idle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from tradetrail.errors import Fatal
from tradetrail.log.reader import LogEnds, Place, places_of
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# A service answers /health from memory; a slow answer means it is starting or starved.
HEALTH_TIMEOUT_S = (1.0, 3.0)
# Covers a killed service's restart, its group's session timeout and its replay of the log, with room to spare.
SETTLE_TIMEOUT_S = 180.0
_LOOK_AGAIN_S = 0.02

Healths = Mapping[str, dict[str, Any]]
"""What each service's /health says, by service."""


class Probe:
    """Looks at the services' health and the log's ends."""

    def __init__(self, settings: SharedSettings, health_urls: Mapping[str, str]) -> None:
        """Look at the services whose /health stands at these URLs."""
        topics = Topics.of(settings)
        self._urls = dict(health_urls)
        self._ends = LogEnds(settings, committed_only=False)
        self._session = requests.Session()
        self._places = places_of(settings, topics.all())
        trade = set(topics.trade())
        traded = [place for place in self._places if place[0] in trade]
        self._reads = {"decider": traded, "executor": traded, "auditor": self._places}

    def close(self) -> None:
        """Close the connections."""
        self._ends.close()
        self._session.close()

    def health(self, service: str) -> dict[str, Any] | None:
        """Return what the service says of itself; None while it is away."""
        try:
            answer = self._session.get(self._urls[service], timeout=HEALTH_TIMEOUT_S)
            content: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError):
            return None
        return content

    def wait(
        self, busy: Callable[[Healths], str | None], timeout_s: float = SETTLE_TIMEOUT_S
    ) -> Healths:
        """Wait until every service is idle and ``busy`` names nothing more; return their healths.

        Raises Fatal with the last reason when that takes longer than ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            healths, reason = self._look(busy)
            if reason is None:
                return healths
            if time.monotonic() > deadline:
                raise Fatal(
                    f"the system did not settle within {timeout_s:.0f} s: {reason}; "
                    "`tradetrail doctor` and the logs of that service say more"
                )
            time.sleep(_LOOK_AGAIN_S)

    def ends(self) -> dict[Place, int]:
        """Return the high watermark of every partition."""
        return self._ends.read(self._places)

    def _look(self, busy: Callable[[Healths], str | None]) -> tuple[Healths, str | None]:
        before = self.ends()
        healths: dict[str, dict[str, Any]] = {}
        for service in self._urls:
            health = self.health(service)
            if health is None:
                return healths, f"{service} does not answer"
            healths[service] = health
        for service, places in self._reads.items():
            if reason := _behind(service, healths[service].get("positions", {}), places, before):
                return healths, reason
        if reason := busy(healths):
            return healths, reason
        return healths, None if self.ends() == before else "events are still being appended"


def _behind(
    service: str, positions: Mapping[str, int], places: list[Place], ends: Mapping[Place, int]
) -> str | None:
    for topic, partition in places:
        at, end = positions.get(f"{topic}/{partition}", 0), ends[(topic, partition)]
        if at < end:
            return f"{service} is at {at} of {end} in {topic}/{partition}"
    return None
