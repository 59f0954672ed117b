"""A fault campaign: services killed, frozen and cut off again and again, and what must hold all the same.

``make faults ARGS="--only ingestor --rounds 100"``: the ingestor's own campaign (docs/faults.md); a round is one fault
of one data source. ``--only decider``, ``--only executor``, ``--only auditor``: their own; a round is one fault on a
log of its own. For all services the demo is walked with kills on the way; a round is one kill -9.
The last line is one JSON object with at least rounds, kills and violations; exit code 1 when there is a violation.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from tests.faults import (
    auditor_campaign,
    auditor_deck,
    decider_campaign,
    decider_deck,
    executor_campaign,
    executor_deck,
    ingestor_campaign,
    ingestor_deck,
)
from tests.faults.processes import Tally
from tests.faults.walks import SERVICES, differences, walked

# A walk of two weeks has room for about so many kills.
KILLS_A_WALK = 10


def main() -> int:
    """Run the campaign; exit code 1 when a violation was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SERVICES, help="disturb this service alone")
    parser.add_argument("--rounds", type=int, default=KILLS_A_WALK, help="faults in all")
    parser.add_argument("--seed", type=int, default=1, help="seed of victims, moments and worlds")
    faults = {
        "ingestor": {fault.name: fault for fault in ingestor_deck.deck()},
        "decider": {fault.name: fault for fault in decider_deck.deck()},
        "executor": {fault.name: fault for fault in executor_deck.deck()},
        "auditor": {fault.name: fault for fault in auditor_deck.deck()},
    }
    parser.add_argument(
        "--fault",
        action="append",
        metavar="NAME",
        help='with --only: only this one, such as "kill half_sent"; repeatable',
    )
    parser.add_argument(
        "--from", type=int, default=1, dest="first", metavar="N", help="not those before round N"
    )
    parser.add_argument("--round", type=int, help="only this one")
    options = parser.parse_args()
    if options.round is not None:
        options.first = options.rounds = options.first
    if options.first != 1 and options.only not in ("decider", "executor", "auditor"):
        parser.error("--round, --from: with --only decider, --only executor or --only auditor")
    if not 1 <= options.first <= options.rounds:
        parser.error(f"there is no round {options.first} among rounds 1 to {options.rounds}")
    known = faults.get(options.only, {})
    if unknown := [name for name in options.fault or () if name not in known]:
        parser.error(f"--only {options.only} has no fault {unknown}; there are {sorted(known)}")
    wanted = [known[name] for name in options.fault or ()]
    if options.only == "ingestor":
        line, violations = _own(
            lambda home: ingestor_campaign.run_campaign(home, options.rounds, options.seed, wanted),
            options.seed,
            ("rounds", "kills"),
        )
    elif options.only == "decider":
        line, violations = _own(
            lambda home: decider_campaign.run_campaign(
                home, options.rounds, options.seed, wanted, options.first
            ),
            options.seed,
            ("rounds", "kills", "freezes", "broker_restarts", "rebalances"),
        )
    elif options.only == "executor":
        line, violations = _own(
            lambda home: executor_campaign.run_campaign(
                home, options.rounds, options.seed, wanted, options.first
            ),
            options.seed,
            ("rounds", "kills", "freezes", "takeovers", "decisions", "orders", "fills"),
        )
    elif options.only == "auditor":
        line, violations = _own(
            lambda home: auditor_campaign.run_campaign(
                home, options.rounds, options.seed, wanted, options.first
            ),
            options.seed,
            ("rounds", "kills", "freezes", "outages", "broker_restarts", "events"),
        )
    else:
        line, violations = _demo(options.rounds, options.seed)
    for text in violations:
        sys.stderr.write(f"{text}\n")
    sys.stdout.write(json.dumps(line) + "\n")
    return 1 if violations else 0


def _own(
    campaign: Callable[[Path], Tally], seed: int, first: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Run a service's own campaign; ``first`` are the counts that its line begins with."""
    # What runs in this process, undisturbed, has nothing to say: stdout is for the result.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    home = Path(tempfile.mkdtemp(prefix="tradetrail-faults-"))
    tally = campaign(home)
    if tally.violations:
        sys.stderr.write(f"what the processes said is in {home}\n")
    else:
        shutil.rmtree(home, ignore_errors=True)
    line = {
        **{name: tally.done[name] for name in first},
        "violations": len(tally.violations),
        "seed": seed,
        **{name: count for name, count in sorted(tally.done.items()) if name not in first},
        "by_step": dict(sorted(tally.by_step.items())),
    }
    return line, tally.violations


def _demo(rounds: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    kills: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRADETRAIL_HOME"] = home
        undisturbed = walked()
        violations = list(undisturbed.violations)
        while kills.total() < rounds:
            wanted = min(KILLS_A_WALK, rounds - kills.total())
            disturbed = walked(victims=SERVICES, kills=wanted, seed=seed)
            kills.update(disturbed.kills)
            if not disturbed.kills:
                violations.append(f"seed {seed}: nothing could be killed, so nothing was proven")
                break
            found = disturbed.violations + differences(undisturbed, disturbed)
            violations += [f"seed {seed}: {text[:2000]}" for text in found]
            sys.stderr.write(
                f"seed {seed}: {len(disturbed.kills)} kills, {len(found)} violations\n"
            )
            seed += 1
    line = {"rounds": kills.total(), "kills": dict(kills), "violations": len(violations)}
    return line, violations


if __name__ == "__main__":
    sys.exit(main())
