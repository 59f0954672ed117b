"""The one process that owns a stack's parts: ``python -m tradetrail.stack.supervisor --home FOLDER``.

Its standard input is a lifeline: the first line says what to start (JSON, ``Wanted``); the line ``detach`` lets the
supervisor live on by itself; an end without it means that the parent is gone, and everything stops. Its children die
with it (see ``launch``). Every child is started on the main thread, in the loop below; other threads only check
health and answer commands, which they hand to the loop.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tradetrail.errors import TradetrailError, UsageError
from tradetrail.stack import control
from tradetrail.stack.assembly import Wanted
from tradetrail.stack.checks import CHECK_TIMEOUT_S, Finding, run_check
from tradetrail.stack.fleet import Fleet
from tradetrail.stack.home import Home, HomeLocked, write_json
from tradetrail.stack.parts import Part
from tradetrail.stack.processes import kill_leftovers

# How often the loop looks around: often while something starts or stops, else for liveness only (ends of children
# and commands wake it at once).
_TICK_BUSY_S = 0.03
_TICK_IDLE_S = 0.5
# The exit code that says "another supervisor holds this folder".
EXIT_LOCKED = 75


class Supervisor:
    """Runs the parts of one data folder until it is told to stop."""

    def __init__(self, home: Home, wanted: Wanted) -> None:
        """Declare the parts of ``wanted``; nothing starts before ``run``."""
        self._home = home
        self._executor = ThreadPoolExecutor(max_workers=16, thread_name_prefix="check")
        self._fleet = Fleet(home, self._executor, wanted)
        self._commands: queue.SimpleQueue[tuple[control.Message, Future[control.Message]]] = (
            queue.SimpleQueue()
        )
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._since = time.time()
        self._lifeline: int | None = 0
        self._parent = os.getppid()
        self._written: tuple[object, ...] = ()

    def run(self) -> int:
        """Start, watch and stop the parts; return the exit code (1 after a failed start)."""
        self._catch_signals()
        control.serve(self._home, self._answer)
        try:
            while not self._fleet.is_stopped:
                self._wait()
                self._watch_parent()
                self._obey()
                self._fleet.advance()
                self._write_state()
        finally:
            self._fleet.kill()
            self._home.socket.unlink(missing_ok=True)
        return 1 if self._fleet.failure else 0

    # Steps of the loop, in order.

    def _wait(self) -> None:
        watched = [self._wake_read] if self._lifeline is None else [self._wake_read, self._lifeline]
        pause_s = _TICK_BUSY_S if self._fleet.is_busy else _TICK_IDLE_S
        readable, _, _ = select.select(watched, [], [], pause_s)
        if self._wake_read in readable:
            os.read(self._wake_read, 65536)
        if self._lifeline in readable:
            self._read_lifeline()

    def _read_lifeline(self) -> None:
        said = os.read(0, 65536)
        if b"detach" in said:
            self._lifeline = None
        elif not said:
            self._lifeline = None
            self._fleet.stop()

    def _watch_parent(self) -> None:
        # The lifeline may be held open by a process that the dead parent forked.
        if self._lifeline is not None and os.getppid() != self._parent:
            self._lifeline = None
            self._fleet.stop()

    def _obey(self) -> None:
        while not self._commands.empty():
            request, reply = self._commands.get()
            try:
                reply.set_result(self._execute(request))
            except (TradetrailError, KeyError, TypeError, ValueError) as error:
                reply.set_exception(
                    error if isinstance(error, TradetrailError) else UsageError(repr(error))
                )

    # Commands.

    def _answer(self, request: control.Message) -> control.Message:
        """Answer a command, on a thread of its own: freshen the health if asked, then let the loop do it."""
        if request.get("fresh"):
            self._freshen()
        reply: Future[control.Message] = Future()
        self._commands.put((request, reply))
        os.write(self._wake_write, b"!")
        return reply.result(control.ANSWER_TIMEOUT_S)

    def _freshen(self) -> None:
        running = [runner for runner in self._fleet.runners() if runner.state == "ready"]
        checks = [self._executor.submit(run_check, runner.part.check) for runner in running]
        deadline = time.monotonic() + CHECK_TIMEOUT_S + 1.0
        for runner, check in zip(running, checks, strict=True):
            try:
                runner.take(check.result(max(0.0, deadline - time.monotonic())))
            except TimeoutError:
                runner.take(Finding(f"no answer within {CHECK_TIMEOUT_S:.0f} s"))

    def _execute(self, request: control.Message) -> control.Message:
        operation = request["op"]
        if operation == "status":
            return self._status()
        if operation == "shutdown":
            self._fleet.stop()
        elif self._fleet.phase == "stopping":
            raise UsageError("the stack is stopping")
        elif operation == "add":
            self._fleet.add(Wanted.from_json(request["wanted"]))
        elif operation == "add_part":
            self._fleet.add_part(Part.from_json(request["part"]))
        elif operation == "stop":
            self._fleet.runner(request["name"]).stop()
        elif operation == "start":
            self._fleet.runner(request["name"]).start()
        elif operation == "kill":
            self._fleet.runner(request["name"]).kill(int(request["signal"]))
        else:
            raise UsageError(f"unknown operation {operation!r}")
        return {"ok": True}

    def _status(self) -> dict[str, Any]:
        about = {"pid": os.getpid(), "home": str(self._home.root), "since": self._since}
        return {**about, **self._fleet.describe()}

    def _write_state(self) -> None:
        """Write the state file when a part entered another state."""
        now = self._fleet.fingerprint()
        if now != self._written:
            self._written = now
            write_json(self._home.state_file, self._status())

    def _catch_signals(self) -> None:
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, lambda *_: self._fleet.stop())
        # Only to be woken: the loop asks each child itself.
        signal.signal(signal.SIGCHLD, lambda *_: None)


def read_wanted() -> Wanted:
    """Return what the parent wrote as the first line of the lifeline."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            raise UsageError("the supervisor is started by `tradetrail up`, not by hand")
        line += byte
    content: Mapping[str, Any] = json.loads(line)
    return Wanted.from_json(content)


def main() -> int:
    """Run the supervisor; return its exit code."""
    home = Home(Path(sys.argv[sys.argv.index("--home") + 1]))
    try:
        wanted = read_wanted()
        lock = home.lock()
        kill_leftovers(home.state())
        home.state_file.unlink(missing_ok=True)
    except HomeLocked as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_LOCKED
    except TradetrailError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        return Supervisor(home, wanted).run()
    except TradetrailError as error:
        write_json(home.state_file, {"pid": os.getpid(), "failure": str(error), "parts": []})
        return 1
    finally:
        os.close(lock)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # A check that hangs must not keep the process: every child is stopped by now.
    os._exit(code)
