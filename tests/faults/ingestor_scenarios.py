"""What a campaign does to ingestors: each scenario disturbs one run of one data source, then lets it be run again.

A scenario notes what must not be (``Lane.problem``) and what the log must show later (``Desk.claims``).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.eventually import eventually
from tests.faults.dealing import Fault, done
from tests.faults.ingestor_checks import Claim
from tests.faults.ingestor_deck import CLOSING
from tests.faults.ingestor_desk import Lane, handled
from tests.faults.members import KILLED
from tests.faults.processes import PROCESS_TIMEOUT_S, Process
from tests.integration.ingestor_harness import MAINTENANCE

# A request that comes to no end while its process lives; and one that leaves time for something to happen meanwhile.
_STALL_S = 600.0
_STALL_SHORT_S = 3.0
# A commit on a local broker takes some milliseconds: within these the broker is killed in the middle of one.
_COMMIT_S = 0.02


def disturb(lane: Lane, fault: Fault) -> None:
    """Do what ``fault`` says to the lane's data source, then run its task to completion."""
    try:
        done((lambda: _SCENARIOS[fault.kind](lane, fault.step), lane.finish), lane.problem)
    finally:
        lane.close()


@contextmanager
def _claimed(lane: Lane, process: Process) -> Iterator[None]:
    """Claim, once the body is done, that the process had begun if the vendor was asked meanwhile."""
    before = lane.desk.vendor.asked(lane.source)
    yield
    asked = lane.desk.vendor.asked(lane.source) > before
    lane.desk.claims.append(Claim(process.name, asked=asked))


def _killed_at(lane: Lane, step: str, task: str | None = None) -> None:
    process = lane.start(task, die_at=step)
    with _claimed(lane, process):
        code = process.wait()
    if code != KILLED:
        lane.problem(f"{process.name} did not die at {step} but ended with {code}", process)
    lane.desk.count("kills", step)


def _kill(lane: Lane, step: str) -> None:
    if step in CLOSING:
        _killed_at(lane, "fetched")
    _killed_at(lane, step)


def _kill_at_random(lane: Lane, step: str) -> None:
    process = lane.start()
    with _claimed(lane, process):
        time.sleep(lane.chance.uniform(0.4, 1.05) * lane.desk.run_s)
        was_killed = process.kill()
    lane.desk.count("kills" if was_killed else "kills_too_late", "at random")


def _kill_in_request(lane: Lane, step: str) -> None:
    """Kill at the first byte of the first request: the beginning is on record."""
    process = _hanging(lane, _STALL_S)
    if not process.kill():
        lane.problem("it ended before it asked anything", process)
    lane.desk.claims.append(Claim(process.name, asked=True))
    lane.desk.count("kills", "in request")


def _hanging(lane: Lane, stall_s: float) -> Process:
    """Return a process whose first request hangs in the vendor."""
    vendor = lane.desk.vendor
    number = vendor.stall(lane.source, stall_s)
    process = lane.start()
    eventually(lambda: vendor.stalled(number) or process.is_over(), within_s=PROCESS_TIMEOUT_S)
    return process


def _freeze(lane: Lane, step: str) -> None:
    """Freeze until the lock is lost and another run has completed, then wake."""
    frozen = _frozen_at(lane, step)
    if frozen is None:
        return
    lane.finish()
    ends = lane.desk.ends()
    frozen.send(signal.SIGCONT)
    _ends_without_a_word(lane, frozen)
    lane.desk.claims.append(Claim(frozen.name, silent_from=ends))


def _freeze_into(lane: Lane, step: str) -> None:
    """Wake the frozen one while another run is under way, which must go on undisturbed."""
    frozen = _frozen_at(lane, step)
    if frozen is None:
        return
    other = _hanging(lane, _STALL_SHORT_S)
    ends = lane.desk.ends()
    frozen.send(signal.SIGCONT)
    _ends_without_a_word(lane, frozen)
    lane.desk.claims.append(Claim(frozen.name, silent_from=ends))
    if (code := other.wait()) != 0:
        lane.problem(f"one that woke up ended a run under way (exit code {code})", other)
    lane.is_complete = code == 0


def _frozen_at(lane: Lane, step: str) -> Process | None:
    if step in CLOSING:
        _killed_at(lane, "fetched")
    process = lane.start(die_at=f"freeze {step}")
    if not process.await_frozen():
        lane.problem(f"it did not freeze at {step}", process)
        return None
    lane.desk.count("freezes", step)
    return process


def _ends_without_a_word(lane: Lane, woken: Process) -> None:
    if (code := woken.wait()) != 1:
        lane.problem(f"{woken.name} woke without its lock and ended with exit code {code}", woken)


def _sigterm(lane: Lane, step: str) -> None:
    """Ask it to stop in the middle: it completes, or ends its run itself."""
    process = lane.start(die_at=f"freeze {step}")
    if not process.await_frozen():
        lane.problem(f"it did not freeze at {step}", process)
        return
    process.send(signal.SIGTERM)
    process.send(signal.SIGCONT)
    if (code := process.wait()) not in (0, 1):
        lane.problem(f"asked to stop, it ended with exit code {code}", process)
    # A machine so busy that the short freeze cost it the lock proves nothing here.
    if "lost the lock" not in process.said():
        lane.desk.claims.append(Claim(process.name, says_its_end=True))
    lane.is_complete = code == 0
    lane.desk.count("sigterms", step)


def _broker(lane: Lane, step: str, *, gracefully: bool, delay_s: float = 0.0) -> None:
    """Take the broker away while the last transaction is open."""
    process = lane.start(die_at=f"freeze {step}")
    if not process.await_frozen():
        lane.problem(f"it did not freeze at {step}", process)
        return
    stack = lane.desk.stack
    if gracefully:
        restart = threading.Thread(target=stack.restart_part, args=("kafka",))
        restart.start()
        process.send(signal.SIGCONT)
        restart.join()
    elif delay_s:
        process.send(signal.SIGCONT)
        time.sleep(delay_s)
        stack.kill_part("kafka")
    else:
        stack.kill_part("kafka")
        process.send(signal.SIGCONT)
    if not gracefully:
        eventually(lambda: stack.part("kafka").pid is None)
        stack.restart_part("kafka")
        lane.desk.count("broker_kills", step)
    lane.desk.count("broker_restarts", step)
    if (code := process.wait()) not in (0, 1, 3):
        lane.problem(f"without a broker it ended with exit code {code}", process)


def _broker_kill(lane: Lane, step: str) -> None:
    _broker(lane, step, gracefully=False)


def _broker_restart(lane: Lane, step: str) -> None:
    _broker(lane, step, gracefully=True)


def _broker_kill_in_commit(lane: Lane, step: str) -> None:
    delay_s = lane.chance.uniform(0.0001, _COMMIT_S)
    _broker(lane, "offsets_sent", gracefully=False, delay_s=delay_s)


def _two_at_once(lane: Lane, step: str) -> None:
    """Two at the same moment: one after the other, both complete."""
    both = [lane.start(), lane.start()]
    for process in both:
        if (code := process.wait()) != 0:
            lane.problem(f"of two at once, one ended with exit code {code}", process)
            return
    lane.is_complete = True
    lane.desk.count("two_at_once")


def _already_running(lane: Lane, step: str) -> None:
    """A second one that does not wait long is told that one is running."""
    first = _hanging(lane, _STALL_S)
    second = lane.start(ingestor_lock_wait_s="1")
    if second.wait() != 1 or "already running" not in second.said():
        lane.problem("a second one was not told that one is running", second)
    first.kill()
    lane.desk.count("kills", "in request")
    lane.desk.count("two_at_once")


def _service(lane: Lane, step: str) -> None:
    """Kill the scheduled service in its slot; started again, it closes what it left, and runs the slot."""
    process, _ = lane.serve(die_at=step)
    with _claimed(lane, process):
        code = process.wait()
    if code != KILLED:
        lane.problem(f"the service did not die at {step} but ended with {code}", process)
    lane.desk.count("kills", f"of the service {step}")
    again, url = lane.serve(ingestor_rerun_abandoned="true")
    handled(url, lane.desk.vendor)
    again.send(signal.SIGTERM)
    if (code := again.wait()) != 0:
        lane.problem(f"the service ended with exit code {code} after SIGTERM", again)
    lane.is_complete = code == 0


def _maintenance(lane: Lane, step: str) -> None:
    """A run is cut off, and so is the maintenance that closes it; the next maintenance ends both."""
    _killed_at(lane, step)
    _killed_at(lane, lane.chance.choice(CLOSING), MAINTENANCE)
    process = lane.start(MAINTENANCE)
    if (code := process.wait()) != 0:
        lane.problem(f"maintenance ends with exit code {code}", process)


_SCENARIOS: dict[str, Callable[[Lane, str], None]] = {
    "kill": _kill,
    "kill-at-random": _kill_at_random,
    "kill-in-request": _kill_in_request,
    "freeze": _freeze,
    "freeze-into": _freeze_into,
    "sigterm": _sigterm,
    "broker-kill": _broker_kill,
    "broker-restart": _broker_restart,
    "broker-kill-in-commit": _broker_kill_in_commit,
    "two-at-once": _two_at_once,
    "already-running": _already_running,
    "service": _service,
    "maintenance": _maintenance,
}
