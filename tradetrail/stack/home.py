"""The data folder of one local stack: where its data, logs, ports, credentials and state live, and who may use it.

One folder, one supervisor: a file lock guards it, and the kernel drops that lock when its holder dies, so a crash
never leaves a folder locked.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradetrail.errors import TradetrailError, UsageError

DEFAULT_FOLDER = ".tradetrail"
# A log is moved aside at the next start of its part beyond this size; one older log is kept.
LOG_SIZE_MAX_BYTES = 20 * 1024 * 1024


class HomeLocked(UsageError):
    """Another supervisor holds this data folder."""


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder at ``root`` (absolute)."""

    root: Path

    @classmethod
    def find(cls, root: Path | str | None = None) -> Home:
        """Return the folder given, else ``TRADETRAIL_HOME``, else ``.tradetrail`` here."""
        chosen = root or os.environ.get("TRADETRAIL_HOME") or DEFAULT_FOLDER
        return cls(Path(chosen).expanduser().absolute())

    @property
    def data(self) -> Path:
        """Return the folder that holds what the servers keep."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """Return the folder that holds one log per part."""
        return self.root / "logs"

    @property
    def socket(self) -> Path:
        """Return the supervisor's control socket."""
        return self.root / "control.sock"

    @property
    def state_file(self) -> Path:
        """Return the file in which the supervisor says what runs where."""
        return self.root / "state.json"

    def log(self, part: str) -> Path:
        """Return the log file of ``part``."""
        return self.logs / f"{part}.log"

    def create(self) -> None:
        """Make the folder and its fixed children. Raises UsageError when it can't be written."""
        try:
            for folder in (self.root, self.data, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".writable-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise UsageError(
                f"the data folder {self.root} can't be written ({error.strerror}); change its owner "
                "(it may have been made by root), or set TRADETRAIL_HOME to another folder"
            ) from error

    def lock(self) -> int:
        """Take the folder for this process; the lock lasts as long as the returned descriptor. Raises HomeLocked."""
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise HomeLocked(
                f"another local stack (pid {self.holder() or 'unknown'}) uses {self.root}; "
                "stop it with `tradetrail down`, or set TRADETRAIL_HOME to another folder"
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        return descriptor

    def holder(self) -> int | None:
        """Return the pid of the supervisor that holds the lock, or None when that can't be told for sure."""
        try:
            pid = int((self.root / "lock").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        # The number may have gone to another process since.
        return pid if os.fsencode(self.root) in command else None

    def is_locked(self) -> bool:
        """Tell whether a supervisor runs on this folder."""
        try:
            descriptor = os.open(self.root / "lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        except PermissionError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def state(self) -> dict[str, Any]:
        """Return what the last supervisor wrote about itself; empty when there is none."""
        return read_json(self.state_file)

    def password(self) -> str:
        """Return the database's password, made at the first call (file mode 0600)."""
        file = self.root / "credentials.json"
        known = read_json(file).get("postgres_password")
        if not known:
            known = secrets.token_urlsafe(24)
            write_json(file, {"postgres_password": known})
        return str(known)

    def open_log(self, part: str) -> int:
        """Return a descriptor that appends to the log of ``part``, moving an overlong log aside first."""
        file = self.log(part)
        if file.exists() and file.stat().st_size > LOG_SIZE_MAX_BYTES:
            file.replace(file.with_suffix(".log.1"))
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def read_json(file: Path) -> dict[str, Any]:
    """Return the object in ``file``; empty when it is absent. Raises TradetrailError when it is broken."""
    try:
        loaded: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise UsageError(
            f"{file} can't be read by this user: use the account that ran `tradetrail up`"
        ) from error
    except ValueError as error:
        raise TradetrailError(
            f"{file} is not valid JSON ({error}); remove it and start again"
        ) from error
    return loaded


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Replace ``file`` atomically, readable by its owner alone."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(descriptor, "w") as stream:
        json.dump(content, stream, indent=2)
    os.replace(name, file)


def tail(file: Path, lines_max: int, *, offset_bytes: int = 0) -> list[str]:
    """Return the last lines of ``file``, none before ``offset_bytes``, reading at most its last 64 KiB."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, min(offset_bytes, size), size - 65536))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-lines_max:]
