"""What a stack consists of, declared: a part is a process with its check, its way to stop, and what it waits for."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["infrastructure", "simulator", "service", "step"]
Health = Literal["healthy", "starting", "unhealthy", "stopped", "external"]
CheckKind = Literal["kafka", "registry", "postgres", "http", "alive"]


@dataclass(frozen=True, slots=True)
class Check:
    """How to see that a part works; ``alive`` looks at the process alone. ``target``: an address, URL or DSN."""

    kind: CheckKind = "alive"
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process (or one-shot step) of a stack. Without ``argv`` it is an existing server: checked, never started.

    ``user`` is a name to run under when the supervisor is root; ``env`` comes on top of the stack's own settings.
    ``port_names`` are those in the stack's port list that this part listens on.
    """

    name: str
    kind: Kind = "service"
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    user: str | None = None
    address: str = ""
    check: Check = Check()
    stop_signal: int = signal.SIGTERM
    # Long enough for a service to finish its batch and for Kafka to close its logs; then SIGKILL.
    stop_timeout_s: float = 15.0
    # A cold JVM on a busy two-core machine takes up to 20 s; on an overloaded one the registry took 90.
    ready_timeout_s: float = 180.0
    restart: Literal["always", "never"] = "never"
    # How often it may end before it was ever ready until that counts as a failed start.
    start_attempts_max: int = 1
    depends_on: tuple[str, ...] = ()
    port_names: tuple[str, ...] = ()

    @property
    def is_external(self) -> bool:
        """Tell whether someone else runs this server."""
        return not self.argv

    def to_json(self) -> dict[str, Any]:
        """Return the part as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Part:
        """Return the part that ``to_json`` wrote."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in content.items()
        }
        values["check"] = Check(**content["check"])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """What is known of one part now. ``detail`` is for people; ``facts`` is what a service's health page told;
    ``failed`` says that it ended and will not come back by itself.
    """

    name: str
    kind: Kind
    pid: int | None
    address: str
    health: Health
    restarts: int
    uptime_s: float | None
    log: str | None
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False

    @property
    def is_well(self) -> bool:
        """Tell whether the part works, or is someone else's and answers."""
        return self.health in ("healthy", "external")

    def to_json(self) -> dict[str, Any]:
        """Return the status as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> PartStatus:
        """Return the status that ``to_json`` wrote; what else the content holds is left out."""
        return cls(**{known.name: content[known.name] for known in fields(cls)})
