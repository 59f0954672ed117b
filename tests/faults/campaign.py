"""A fault campaign: the demo walked with services killed on the way.

``make faults ARGS="--only decider --rounds 20"``. A round is one kill -9. The last line is one JSON object: rounds,
kills per service, violations.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter

from tests.faults.walks import SERVICES, differences, walked

# A walk of two weeks has room for about so many kills.
KILLS_A_WALK = 10


def main() -> int:
    """Run the campaign; exit code 1 when a violation was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SERVICES, help="kill this service alone")
    parser.add_argument("--rounds", type=int, default=KILLS_A_WALK, help="kills in all")
    parser.add_argument("--seed", type=int, default=1, help="seed of victims and moments")
    options = parser.parse_args()
    victims = (options.only,) if options.only else SERVICES
    kills: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRADETRAIL_HOME"] = home
        undisturbed = walked()
        violations = list(undisturbed.violations)
        seed = options.seed
        while kills.total() < options.rounds:
            wanted = min(KILLS_A_WALK, options.rounds - kills.total())
            disturbed = walked(victims=victims, kills=wanted, seed=seed)
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
    for text in violations:
        sys.stderr.write(f"{text}\n")
    line = {"rounds": kills.total(), "kills": dict(kills), "violations": len(violations)}
    sys.stdout.write(json.dumps(line) + "\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
