"""A benchmark of several parts: those asked for, a stack for them, progress on stderr, one JSON object on stdout."""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tradetrail.errors import TradetrailError
from tradetrail.process import EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack
from tradetrail.telemetry import configure_logging

# Measures on the Kafka and the registry at two addresses.
Measure = Callable[[str, str], dict[str, Any]]
Say = Callable[[str], None]


def say(line: str) -> None:
    """Tell the progress on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def chosen_of(parser: ArgumentParser, only: str, parts: Iterable[str]) -> list[str]:
    """Return the parts that ``only`` names, a comma list, or all; ends the program when one is unknown."""
    known = list(parts)
    chosen = [part for part in only.split(",") if part] or known
    if unknown := sorted(set(chosen) - set(known)):
        parser.error(f"--only knows {', '.join(known)}; not {', '.join(unknown)}")
    return chosen


def measure_on_a_stack(chosen: Iterable[str], parts: Mapping[str, Callable[[], Measure]]) -> int:
    """Measure the chosen parts on a Kafka and a registry of their own; print all figures; return the exit code.

    Servers that the environment names are used instead. What makes a measure is called before anything is started.
    """
    figures: dict[str, Any] = {}
    try:
        measures = {part: parts[part]() for part in chosen}
        with tempfile.TemporaryDirectory() as home:
            configure_logging(SharedSettings(log_level="warning"))
            with LocalStack(home, parts=("kafka", "registry")) as stack:
                at = stack.addresses
                for part, measure in measures.items():
                    say(part)
                    found = measure(at.kafka, at.registry_url)
                    say(json.dumps(found))
                    figures |= found
    except TradetrailError as error:
        say(str(error))
        return exit_code_of(error)
    print(json.dumps(figures))
    return EXIT_OK
