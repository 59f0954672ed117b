"""A real decider on a log of its own, and the triggers it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from benchmarks.log_rig import Heard, Running, service, until_answered
from benchmarks.two_buyers import run_events
from tradetrail.errors import Fatal
from tradetrail.events import Event
from tradetrail.events.generated import DecisionDeclined, DecisionMade
from tradetrail.settings import SharedSettings

# A morning in the middle of the simulated half year, before the session: prices of twenty sessions and more are known.
NOW = datetime(2024, 4, 2, 11, tzinfo=UTC)
# Two members buying are a consensus, and so a decision.
PEOPLE = ("Ann", "Bob")
EVENTS_A_TRIGGER = len(PEOPLE) + 1


@contextmanager
def decider(settings: SharedSettings, alpaca: str, **more: object) -> Iterator[Running]:
    """Run a decider on the log until the block ends. Raises Fatal when it does not become ready."""
    with service("decider", settings, alpaca, **more) as running:
        until_answered(f"{running.url}/health")
        yield running


def trigger_events(symbol: str, number: int) -> list[Event]:
    """Return a run's events of one symbol: two members' new purchases, and the trigger. Run id: ``run-NUMBER``."""
    people = [f"{person} {number}" for person in PEOPLE]
    return run_events(symbol, f"run-{number}", NOW - timedelta(hours=1), people, 15_001)


class Answered(Heard):
    """Reads the decider's answers."""

    def __init__(self, settings: SharedSettings) -> None:
        """Begin at the end of every trade topic."""
        super().__init__(settings, DecisionMade.TYPE, DecisionDeclined.TYPE)

    def answer(self, timeout_s: float) -> tuple[float, DecisionMade | DecisionDeclined]:
        """Return the next answer and when it was here (``time.perf_counter``). Raises Fatal when none comes."""
        here, _, decoded = self.next(timeout_s)
        event = decoded.event
        if not isinstance(event, DecisionMade | DecisionDeclined):
            raise Fatal(f"{decoded.type_name} is not what this benchmark's code knows")
        return here, event
