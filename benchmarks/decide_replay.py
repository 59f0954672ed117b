"""How many recorded answers a replay judges a second, on a log of its own.

    python -m benchmarks.decide_replay [--triggers N]

The log is made by the decider's own loop step on a market that stands still, and written to Kafka; the replay reads it
from there as `tradetrail replay` does, in this process. Its last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta

from benchmarks.log_rig import new_log
from benchmarks.paper_log import NOW, PaperDecider, PaperLog
from benchmarks.two_buyers import run_events
from services.decider.replay import run as replaying
from services.decider.replay.asked import Asked
from tradetrail.errors import Fatal, TradetrailError
from tradetrail.events import Event
from tradetrail.process import EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings, SymbolGroup
from tradetrail.stack.local import LocalStack
from tradetrail.telemetry import configure_logging

TRIGGERS = 20_000
# As many as a busy morning names; each gets a trigger again every few days.
_SYMBOLS = 500
_MEMBERS = 40


def replay(kafka: str, registry_url: str, triggers: int = TRIGGERS) -> dict[str, float]:
    """Return ``replayed_per_s``: answers compared a second, reading included.

    Uses topics under a prefix of its own and leaves them there. Raises Fatal when the replay finds a difference.
    """
    group = SymbolGroup(name="default", patterns=("*",), partitions=1)
    shared = new_log(kafka, registry_url, symbol_groups=(group,))
    log = PaperLog(partitions=1, topic=f"{shared.topic_prefix}default")
    decider = PaperDecider(log)
    for number in range(triggers):
        log.publish(_run(number))
    decider.decide()
    log.copy_to(shared)
    del log, decider
    started = time.perf_counter()
    report = replaying.replay(shared, Asked())
    took_s = time.perf_counter() - started
    if report["differences"] or report["answers_compared"] != triggers:
        raise Fatal(f"a replay of the benchmark's own log does not come out the same: {report}")
    return {"replayed_per_s": round(triggers / took_s, 1)}


def _run(number: int) -> list[Event]:
    """Return two members' purchases of one symbol and the trigger; five hundred symbols a day."""
    symbol, day = f"S{number % _SYMBOLS}", number // _SYMBOLS
    people = [f"member-{(number * 7 + seat) % _MEMBERS}" for seat in range(2)]
    amount_usd_min = 1_001 if number % 3 else 15_001
    return run_events(symbol, f"run-{day}", NOW + timedelta(days=day), people, amount_usd_min)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on servers of its own and print the figure; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decide_replay", description=__doc__)
    parser.add_argument("--triggers", type=int, default=TRIGGERS, metavar="N", help="log size")
    options = parser.parse_args(arguments)
    try:
        configure_logging(SharedSettings(log_level="warning"))
        with tempfile.TemporaryDirectory() as home:
            with LocalStack(home, parts=("kafka", "registry")) as stack:
                addresses = stack.addresses
                figures = replay(addresses.kafka, addresses.registry_url, options.triggers)
    except TradetrailError as error:
        sys.stderr.write(f"{error}\n")
        return exit_code_of(error)
    print(json.dumps(figures))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
