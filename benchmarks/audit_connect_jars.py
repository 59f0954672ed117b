"""What the peer of the auditor's benchmark is made of: Kafka Connect, Debezium's JDBC sink, an Avro converter.

Resolved and fetched once per user into the stack's cache, as the servers' files are; run by the same Java.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradetrail.errors import Unreachable
from tradetrail.stack.artifacts import cache_folder
from tradetrail.stack.java import java_binary

_WORKER = ("org.apache.kafka:connect-runtime:4.3.1", "org.apache.kafka:kafka-tools:4.3.1")
_PLUGINS = {
    "sink": ("io.debezium:debezium-connector-jdbc:3.5.0.Final",),
    "converter": ("io.apicurio:apicurio-registry-utils-converter:2.6.13.Final",),
}
_DRIVER = "org.postgresql:postgresql:42.7.14"
_COMPILER = "org.eclipse.jdt:ecj:3.43.0"
# In a plugin's folder these would stand in the way of the worker's own; and drivers of other databases.
_CLASHING = ("jackson", "connect-", "kafka-clients", "slf4j")
_FOREIGN = ("ojdbc", "mssql", "mysql", "mariadb", "postgresql-", "ora", "orai18n", "ucp", "xdb")
_SOURCE = Path(__file__).with_name("audit_connect") / "ToAudit.java"
# Of a single answer of a repository; all of it is some 60 MB.
_SILENCE_MAX_S = 60
_COMPILE_MAX_S = 120


@dataclass(frozen=True, slots=True)
class ConnectFiles:
    """Where the worker's jars and the plugins' folders are."""

    worker: Path
    plugins: Path


def connect_files() -> ConnectFiles:
    """Return the files, fetched and compiled now if the cache lacks them. Raises Unreachable when they can't be had."""
    named = repr((_WORKER, _PLUGINS, _DRIVER, _COMPILER)).encode() + _SOURCE.read_bytes()
    target = cache_folder() / f"connect-{hashlib.sha256(named).hexdigest()[:12]}"
    if not target.is_dir():
        draft = cache_folder() / "staging" / target.name
        shutil.rmtree(draft, ignore_errors=True)
        try:
            _fetch(draft)
            _compile(draft)
        except Exception as error:
            raise Unreachable(
                f"Kafka Connect and its plugins can't be had ({error!r}); leave debezium out with --only, or see "
                "that jgo reaches a repository"
            ) from error
        draft.rename(target)
    return ConnectFiles(target / "worker", target / "plugins")


def _fetch(draft: Path) -> None:
    for coordinate in _WORKER:
        _copy(_resolved(coordinate, draft), draft / "worker", ())
    for name, coordinates in _PLUGINS.items():
        for coordinate in coordinates:
            _copy(_resolved(coordinate, draft), draft / "plugins" / name, _CLASHING + _FOREIGN)
    _copy(_resolved(_DRIVER, draft)[:1], draft / "plugins" / "sink", ())
    _copy(_resolved(_COMPILER, draft), draft / "compiler", ())
    shutil.rmtree(draft / "m2")


def _resolved(coordinate: str, draft: Path) -> list[Any]:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=draft / "m2", timeout=_SILENCE_MAX_S)
    context.remote_repos = {**GlobalSettings.load().repositories, **context.remote_repos}
    inputs, transitive = context.resolver.resolve([context.create_dependency(coordinate)])
    return [dependency.artifact for dependency in (*inputs, *transitive)]


def _copy(artifacts: list[Any], folder: Path, without: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for artifact in artifacts:
        if not artifact.filename.startswith(without):
            shutil.copy(artifact.resolve(), folder / artifact.filename)


def _compile(draft: Path) -> None:
    # The Java of the wheel has no compiler of its own.
    [compiler] = (draft / "compiler").iterdir()
    jars = ":".join(str(jar) for jar in sorted((draft / "worker").iterdir()))
    classes = draft / "plugins" / "transform"
    command = [str(java_binary()), "-jar", str(compiler), "-17", "-nowarn", "-cp", jars]
    done = subprocess.run(
        [*command, "-d", str(classes), str(_SOURCE)],
        capture_output=True,
        text=True,
        timeout=_COMPILE_MAX_S,
        check=False,
    )
    if done.returncode:
        raise OSError(f"{_SOURCE.name} does not compile: {done.stderr or done.stdout}")
    # Scanned for plugins only as a jar, which is a zip archive.
    archive = shutil.make_archive(str(draft / "transform"), "zip", classes)
    shutil.rmtree(classes)
    classes.mkdir()
    Path(archive).rename(classes / "transform.jar")
