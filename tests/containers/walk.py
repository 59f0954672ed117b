"""Walks simulated days from inside a container of the project: ``python walk.py FIRST LAST`` (inclusive dates).

Runs on the application's image with the ingestor's settings; the services are found by their names.
"""

from __future__ import annotations

import os
import sys
from datetime import date

from tradetrail.demo.probe import Probe
from tradetrail.demo.runs import RunFollower
from tradetrail.demo.walk import Walk, Walker
from tradetrail.settings import SharedSettings

SERVICES = ("ingestor", "decider", "executor", "auditor")
TASKS = (
    *("data_fetch:committees", "data_fetch:sectors"),
    *("data_fetch:congress_daily", "data_fetch:insider_daily"),
)
# The one that gives the services their time comes last.
CONTROLS = (
    "http://simulated-quiverquant:8070/control",
    "http://simulated-alpaca:8090/control",
)


def main(first: date, last: date) -> None:
    """Walk from ``first`` to ``last`` and the session after."""
    settings = SharedSettings(instance="walk")
    probe = Probe(settings, {name: f"http://{name}:8080/health" for name in SERVICES})
    walker = Walker(probe, RunFollower(settings), CONTROLS, os.environ, TASKS)
    walker.walk(Walk(first, last), _tell)


def _tell(day: date, left: int) -> None:
    sys.stdout.write(f"{day} done, {left} to go\n")


if __name__ == "__main__":
    main(date.fromisoformat(sys.argv[1]), date.fromisoformat(sys.argv[2]))
