"""The command ``tradetrail``: its groups, and how an error becomes a message and an exit code.

0 success, 1 a check or a step failed, 2 used wrongly, 3 a server does not answer. No stack trace reaches a person.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys

import requests
import typer

from tradetrail.errors import TradetrailError
from tradetrail.process import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_UNREACHABLE,
    end_politely,
    exit_code_of,
)
from tradetrail.redaction import hidden

# The modules that add commands, in the order of the help. Each has ``register(app: typer.Typer) -> None``.
COMMAND_MODULES = (
    "tradetrail.cli.demo",
    "tradetrail.cli.stack",
    "tradetrail.cli.ingest",
    "tradetrail.cli.order",
    "tradetrail.cli.halt",
    "tradetrail.cli.report.commands",
    "tradetrail.cli.dead_letters",
    "tradetrail.cli.replay",
    "tradetrail.cli.rebuild",
    "tradetrail.cli.verify",
    "tradetrail.cli.token",
)


def build_app() -> typer.Typer:
    """Return the whole command line."""
    app = typer.Typer(
        name="tradetrail",
        help="Trade on disclosed trades of politicians and insiders, and prove afterwards what was known.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # With a callback, a lone command stays a word to type instead of becoming the program itself.
    app.callback()(_root)
    for module in COMMAND_MODULES:
        importlib.import_module(module).register(app)
    return app


def _root() -> None:
    """Trade on disclosed trades of politicians and insiders, and prove afterwards what was known."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    try:
        build_app()(args=arguments)
    except SystemExit as end:
        # Typer has shown its own errors (an unknown word, a missing argument) and chosen 2 for them.
        return end.code if isinstance(end.code, int) else EXIT_FAILED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return EXIT_INTERRUPTED
    except TradetrailError as error:
        sys.stderr.write(f"tradetrail: {hidden(str(error))}\n")
        return exit_code_of(error)
    except (requests.RequestException, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"tradetrail: {hidden(str(error))}\n")
        return EXIT_UNREACHABLE
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough; nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return 0


def main() -> None:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, end_politely)
    sys.exit(run())
