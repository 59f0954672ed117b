"""How a service process begins and ends: signals only set a flag, errors become an exit code and one log line."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import structlog
from pydantic_settings import BaseSettings

from tradetrail.errors import Fatal, Retryable, TradetrailError, Unreachable, UsageError
from tradetrail.redaction import hidden
from tradetrail.settings import SharedSettings, canonical_json, configuration, load
from tradetrail.telemetry import configure_logging

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_UNREACHABLE = 0, 1, 2, 3
EXIT_INTERRUPTED = 130

_SAID: dict[type[TradetrailError], str] = {
    UsageError: "can't start as configured",
    Unreachable: "a server is away",
    Retryable: "a server is away",
    Fatal: "stopping for good; restart is safe",
}

log = structlog.get_logger(__name__)


def exit_code_of(error: TradetrailError) -> int:
    """Return the exit code for an error of ours: the same for services, tools and commands."""
    if isinstance(error, UsageError):
        return EXIT_USAGE
    return EXIT_UNREACHABLE if isinstance(error, Unreachable | Retryable) else EXIT_FAILED


def run_command(body: Callable[[], int], interrupted: str = "") -> int:
    """Run a command's body and return its exit code; say its error, or that it was ``interrupted``, in one line."""
    try:
        return body()
    except TradetrailError as error:
        sys.stderr.write(f"tradetrail: {hidden(str(error))}\n")
        return exit_code_of(error)
    except KeyboardInterrupt:
        sys.stderr.write(interrupted)
        return EXIT_INTERRUPTED


def end_politely(*_: object) -> NoReturn:
    """Handle SIGTERM in a command: it cleans up as after Ctrl-C."""
    raise KeyboardInterrupt


def stop_on_signals() -> threading.Event:
    """Return a flag that SIGTERM and SIGINT set; the loop looks at it at each message boundary."""
    stop = threading.Event()

    def ask(_number: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def run_service(
    name: str,
    body: Callable[[SharedSettings, threading.Event], int | None],
    own_settings: type[BaseSettings] | None = None,
) -> int:
    """Run ``body`` as the service ``name`` until it returns or is asked to stop; return the exit code.

    With ``--show-config`` among the arguments, print the effective settings, secrets starred, and end; with ``--help``,
    where the settings come from.
    """
    if {"-h", "--help"} & set(sys.argv[1:]):
        prefix = own_settings.model_config.get("env_prefix", "") if own_settings else ""
        sys.stdout.write(
            f"usage: python -m services.{name} [--show-config]\n\nRuns until SIGTERM. Settings come from the "
            f"environment: TRADETRAIL_*{f' and {prefix}*' if prefix else ''}; --show-config prints them.\n"
        )
        return EXIT_OK
    try:
        settings = load(SharedSettings)
        configure_logging(settings)
        if "--show-config" in sys.argv:
            parts = (settings, load(own_settings)) if own_settings else (settings,)
            sys.stdout.write(canonical_json(configuration(*parts)) + "\n")
            return EXIT_OK
        log.info("starting", service=name, instance=settings.instance)
        return body(settings, stop_on_signals()) or EXIT_OK
    except TradetrailError as error:
        log.error(_SAID.get(type(error), "stopping"), service=name, error=str(error))
        return exit_code_of(error)
    except Exception:
        # A defect of ours: nothing is committed that should not be, and the next start is a normal start.
        log.exception("stopping on an unexpected error", service=name)
        return EXIT_FAILED
