"""A file that is written beside its name and then put in its place: nobody ever finds half of it there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tradetrail.errors import UsageError

# Leaves room for what is put around the name: file systems take 255 bytes.
_NAME_SHOWN = 50


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open what takes the place of ``path`` at the end; after an error ``path`` is as it was.

    A pipe or a device is written to as it is. Raises UsageError for what can't be written.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        target = path.resolve()
        beside = target.with_name(f".{target.name[:_NAME_SHOWN]}.{secrets.token_hex(4)}.part")
        try:
            with beside.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"can't write {path}: {error.strerror}") from error
