"""How far a verification came, kept in a file while it runs, so that an interrupted one goes on.

The file is of one database schema, one log and one window: another's is refused. It is gone once the run has ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.log.reader import Place

_VERSION = 1


@dataclass(slots=True)
class Progressed:
    """What earlier runs found good: each partition up to an offset, and how many events that were."""

    good_to: dict[Place, int] = field(default_factory=dict)
    events: int = 0
    scratch: str | None = None


class StateFile:
    """Keeps the progress of one verification; without a path it keeps nothing."""

    def __init__(self, path: Path | None, identity: Mapping[str, Any]) -> None:
        """Use the file at ``path`` for what ``identity`` names."""
        self._path = path
        self._identity = dict(identity)

    @property
    def keeps(self) -> bool:
        """Tell whether an interrupted run can go on."""
        return self._path is not None

    def read(self) -> Progressed | None:
        """Return the progress of an interrupted run, None where there is none.

        Raises UsageError for a file of another database, log or window, and for one that is no state at all.
        """
        if self._path is None:
            return None
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--state {self._path} can't be read ({error}); name another file, or remove it"
            ) from error
        try:
            identity, version = content["identity"], content["version"]
            places = {(t, int(p)): int(offset) for t, p, offset in content["good_to"]}
            known = Progressed(places, int(content["events"]), content["scratch"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"--state {self._path} is no state of a verification; name another file, or remove it"
            ) from error
        if version != _VERSION or identity != self._identity:
            other = [n for n in self._identity if identity.get(n) != self._identity[n]]
            raise UsageError(
                f"--state {self._path} belongs to another {', '.join(other) or 'version'}: what it calls good says "
                "nothing here; name another file, or remove it"
            )
        return known

    def write(self, progress: Progressed) -> None:
        """Keep ``progress``, as a whole or not at all. Raises UsageError when the file can't be written."""
        if self._path is None:
            return
        content = {
            "version": _VERSION,
            "identity": self._identity,
            "good_to": [[*place, offset] for place, offset in sorted(progress.good_to.items())],
            "events": progress.events,
            "scratch": progress.scratch,
        }
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            with beside.open("w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise UsageError(f"--state {self._path} can't be written: {error.strerror}") from error

    def remove(self) -> None:
        """Forget: the run has ended, and the next one begins anew."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
