"""Rounds of a campaign done in several lanes at once: who does which, what is told of a round, what it leaves."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from tests.faults.dealing import Fault, dealt
from tests.faults.processes import Tally
from tradetrail.log.kafka import open_admin
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

LaneT = TypeVar("LaneT")
# Of one round; a lost partition alone would be a hundred lines.
_TOLD_MAX = 12


def dealt_rounds(
    stack: LocalStack,
    seed: int,
    rounds: int,
    cards: Sequence[Fault],
    *,
    as_given: bool,
    first: int = 1,
) -> list[tuple[int, Fault]]:
    """Return the rounds ``first`` to ``rounds`` with their faults; none takes away a broker that is not ours."""
    # ``TRADETRAIL_KAFKA`` names one that is not.
    is_ours = stack.part("kafka").pid is not None
    dealt_cards = dealt(Random(seed), rounds, cards, as_given=as_given)
    return [
        (number, fault)
        for number, fault in enumerate(dealt_cards, 1)
        if number >= first and (is_ours or not fault.is_broker)
    ]


def together_then_alone(
    lanes: Sequence[LaneT],
    todo: Sequence[tuple[int, Fault]],
    do: Callable[[LaneT, Fault, int], list[str]],
    seed: int,
    tally: Tally,
) -> None:
    """Do rounds in lanes, then those that must be alone, one after the other."""
    in_lanes(lanes, [each for each in todo if not each[1].is_alone], do, seed, tally)
    in_lanes(lanes[:1], [each for each in todo if each[1].is_alone], do, seed, tally)


def demand_disturbed(tally: Tally, seed: int, disturbances: Sequence[str]) -> None:
    """Add a violation when none of ``disturbances`` was counted."""
    if not any(tally.done[name] for name in disturbances):
        tally.violations.append(f"seed {seed}: nothing was disturbed, so nothing was proven")


def told(service: str, found: Sequence[str], fault: Fault, seed: int, number: int) -> list[str]:
    """Return the first violations of a round, and how to do it again."""
    if not found:
        return []
    where = f"seed {seed}, round {number}, {fault.name}"
    left = len(found) - _TOLD_MAX
    again = f"--only {service} --seed {seed} --round {number} --fault '{fault.name}'"
    return [
        *(f"{where}: {text}" for text in found[:_TOLD_MAX]),
        *([f"{where}: and {left} more"] if left > 0 else []),
        f'{where}: once more with make faults ARGS="{again}"',
    ]


def progress(number: int, fault: Fault, began_at: float, found: Sequence[str]) -> None:
    """Tell on stderr how a round ended that began at that monotonic instant; ``found`` as ``told`` put it."""
    took_s = time.monotonic() - began_at
    outcome = "violations" if found else "in order"
    sys.stderr.write(f"round {number} {fault.name}: {took_s:.1f} s, {outcome}\n")
    sys.stderr.writelines(f"    {text}\n" for text in found)
    sys.stderr.flush()


def forget(logs: Sequence[SharedSettings]) -> None:
    """Delete the topics of a round: thousands of partitions make a broker slow."""
    admin = open_admin(logs[0])
    names = [name for log in logs for name in Topics.of(log).all()]
    for answer in admin.delete_topics(names).values():
        answer.exception()


def in_lanes(
    lanes: Sequence[LaneT],
    todo: Sequence[tuple[int, Fault]],
    do: Callable[[LaneT, Fault, int], list[str]],
    seed: int,
    tally: Tally,
) -> None:
    """Let each lane ``do`` (lane, fault, number) one round after the other until none is left; keep what they find."""
    left, lock = list(todo), threading.Lock()

    def work(here: LaneT) -> None:
        while True:
            with lock:
                if not left:
                    return
                number, fault = left.pop(0)
            try:
                found = do(here, fault, number)
            except Exception as error:  # noqa: BLE001 (told, and the campaign goes on)
                found = [f"seed {seed}, round {number}, {fault.name}: it broke off: {error!r}"]
            with lock:
                tally.violations += found

    threads = [threading.Thread(target=work, args=(here,)) for here in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
