"""A Docker engine by its command line; every call has a deadline."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Asking a healthy engine takes milliseconds; one that hangs is no engine.
ASK_TIMEOUT_S = 20.0
# `required: false` of a dependency came with this version.
COMPOSE_VERSION_MIN = (2, 20)
# What a failed command said is cut to its end, where the reason stands.
_TAIL_CHARACTERS = 6_000


class EngineMissing(Exception):
    """There is no usable engine; the message says what is missing."""


class CommandFailed(Exception):
    """A command of the engine failed; the message holds its last output."""


class Engine:
    """The engine that ``docker`` talks to."""

    def __init__(self) -> None:
        """Look for it. Raises EngineMissing."""
        try:
            self.version = self.run("version", "--format", "{{.Server.Version}}").strip()
        except FileNotFoundError as error:
            raise EngineMissing("there is no `docker` command on the path") from error
        except CommandFailed as error:
            raise EngineMissing(f"no Docker engine answers: {error}") from error
        try:
            compose = self.run("compose", "version", "--short").strip().lstrip("v")
        except CommandFailed as error:
            raise EngineMissing("`docker compose` is missing: install Compose 2") from error
        if tuple(int(part) for part in compose.split(".")[:2]) < COMPOSE_VERSION_MIN:
            raise EngineMissing(f"Compose is {compose}; 2.20 or newer is needed")

    def run(
        self,
        *arguments: str,
        timeout_s: float = ASK_TIMEOUT_S,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> str:
        """Run ``docker`` with these arguments; return its standard output. Raises CommandFailed."""
        try:
            done = subprocess.run(
                ["docker", *arguments],
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
                env={**os.environ, **(env or {})},
                cwd=cwd,
            )
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(
                f"docker {' '.join(arguments)} took longer than {timeout_s:.0f} s"
            ) from error
        if done.returncode:
            said = (done.stdout + done.stderr)[-_TAIL_CHARACTERS:]
            raise CommandFailed(
                f"docker {' '.join(arguments)} ended with {done.returncode}: {said}"
            )
        return done.stdout

    def build(self, context: Path, name: str, *, timeout_s: float) -> None:
        """Build the folder ``context`` into the image ``name``."""
        self.run("build", "--tag", name, str(context), timeout_s=timeout_s)

    def inspect(self, container: str) -> dict[str, Any]:
        """Return what the engine knows of a container."""
        found: dict[str, Any] = json.loads(self.run("inspect", container))[0]
        return found


class Project:
    """A Compose project of its own: other projects on this engine are never touched."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        folder: Path,
        options: Sequence[str],
        env: Mapping[str, str],
    ) -> None:
        """Use ``docker-compose.yml`` in ``folder``; ``env`` fills its variables."""
        self._engine = engine
        self._folder = folder
        self._start = ("compose", "--project-name", name, *options)
        self._env = dict(env)

    def run(self, *arguments: str, timeout_s: float = ASK_TIMEOUT_S) -> str:
        """Run ``docker compose`` for this project. Raises CommandFailed."""
        return self._engine.run(
            *self._start, *arguments, timeout_s=timeout_s, env=self._env, cwd=self._folder
        )

    def containers(self) -> list[dict[str, Any]]:
        """Return every container of the project, the ended ones too."""
        ids = self.run("ps", "--all", "--quiet").split()
        return [self._engine.inspect(container) for container in ids]
