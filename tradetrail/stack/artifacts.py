"""The servers' Java files: fetched once per user, checked against pinned hashes, moved into the cache whole.

Which files, and their SHA-256, is in ``artifacts.json`` (made by ``python -m tradetrail.stack.relock``). A folder
appears in the cache only by one rename after every file in it was verified: a killed download leaves files in
``staging``, which the next one takes up or replaces. One lock per cache: of two processes, the second waits.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import requests

from tradetrail.errors import Fatal, TradetrailError, Unreachable, UsageError
from tradetrail.stack.home import read_json, write_json

_LOCK_FILE = Path(__file__).with_name("artifacts.json")
_INVENTORY = ".inventory.json"
# Longest silence of the file server before a download counts as broken.
_SILENCE_MAX_S = 30
_ATTEMPTS_MAX = 3
_PAUSES_S = (1.0, 4.0)
# How long to wait for another process's download: 200 MB on a slow line.
_LOCK_WAIT_MAX_S = 1800.0

_log = logging.getLogger(__name__)


class Reporter(Protocol):
    """Who is told about slow work."""

    def say(self, text: str) -> None:
        """Show one line."""

    def download(self, filename: str, total_bytes: int) -> AbstractContextManager[Any]:
        """Show the progress of one file; yields a function that takes the bytes that came."""


def cache_folder() -> Path:
    """Return the user's cache: ``TRADETRAIL_CACHE_DIR``, else ``~/.cache/tradetrail``."""
    chosen = os.environ.get("TRADETRAIL_CACHE_DIR")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".cache" / "tradetrail"


def pinned(name: str) -> dict[str, Any]:
    """Return the pinned files of ``kafka`` or ``registry``: version and files (coordinate, filename, size, hash)."""
    entry: dict[str, Any] = json.loads(_LOCK_FILE.read_text())[name]
    return entry


def folder_of(name: str) -> Path:
    """Return where ``name`` is in the cache, there or not. The name changes with the pinned content."""
    entry = pinned(name)
    digest = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:12]
    return cache_folder() / f"{name}-{entry['version']}-{digest}"


def problem_with(name: str, *, thorough: bool = False) -> str | None:
    """Say what is wrong with ``name`` in the cache, or None. ``thorough`` reads every byte instead of the sizes."""
    folder = folder_of(name)
    if not folder.is_dir():
        return f"{name} is not in the cache yet ({folder})"
    try:
        inventory = read_json(folder / _INVENTORY)
    except TradetrailError:
        inventory = {}
    if not inventory:
        return f"the list of files in {folder} is broken"
    for relative, (size_bytes, sha256) in inventory.items():
        file = folder / relative
        if not file.is_file() or file.stat().st_size != size_bytes:
            return f"{file} is missing or has the wrong size"
        if thorough and _sha256(file) != sha256:
            return f"{file} has been altered"
    return None


def ensure(name: str, reporter: Reporter) -> Path:
    """Return the folder of ``name``, fetched now if the cache lacks it.

    Raises Unreachable when the files can't be had, Fatal when they aren't the pinned ones.
    """
    if problem_with(name) is None:
        return folder_of(name)
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with _locked(reporter):
            if problem_with(name) is not None:
                _fetch(name, reporter)
    except OSError as error:
        raise Fatal(
            f"the cache {cache_folder()} can't be written ({error}); set TRADETRAIL_CACHE_DIR"
        ) from error
    return folder_of(name)


def _fetch(name: str, reporter: Reporter) -> None:
    entry, target = pinned(name), folder_of(name)
    staging = cache_folder() / "staging" / target.name
    files, tree = staging / "files", staging / "tree"
    shutil.rmtree(staging / "m2", ignore_errors=True)
    shutil.rmtree(tree, ignore_errors=True)
    files.mkdir(parents=True, exist_ok=True)
    missing = [pin for pin in entry["files"] if not _is_whole(files / pin["filename"], pin)]
    size_mb = sum(pin["size"] for pin in missing) / 1e6
    if missing:
        reporter.say(
            f"downloading {name} {entry['version']}: {len(missing)} files, {size_mb:.0f} MB, once per user"
        )
    for pin in missing:
        _download(pin, staging, reporter)
    if entry.get("unpack"):
        reporter.say(f"unpacking {name} {entry['version']}")
        for pin in entry["files"]:
            with tarfile.open(files / pin["filename"]) as archive:
                # Python 3.11.2 and older lack the filter; the archive's hash is pinned, so it is what we know.
                archive.extraction_filter = getattr(tarfile, "data_filter", None)
                archive.extractall(tree)
    else:
        files.rename(tree)
    inventory = {
        str(file.relative_to(tree)): [file.stat().st_size, _sha256(file)]
        for file in sorted(tree.rglob("*"))
        if file.is_file()
    }
    write_json(tree / _INVENTORY, inventory)
    (tree / _INVENTORY).chmod(0o644)
    shutil.rmtree(target, ignore_errors=True)
    tree.rename(target)
    shutil.rmtree(staging)


def _download(pin: dict[str, Any], staging: Path, reporter: Reporter) -> None:
    """Fetch one file with jgo into ``staging/files``, once it has the pinned hash."""
    for attempt in range(_ATTEMPTS_MAX):
        shutil.rmtree(staging / "m2", ignore_errors=True)
        try:
            fetched = _jgo_download(pin["coordinate"], staging / "m2", reporter)
            break
        except (requests.RequestException, RuntimeError, OSError) as error:
            if attempt + 1 == _ATTEMPTS_MAX:
                raise Unreachable(
                    f"{pin['filename']} could not be downloaded after {_ATTEMPTS_MAX} attempts: {error}. Check the "
                    "network or proxy; repositories can be set in jgo's configuration file. The next start goes on "
                    "where this one ended."
                ) from error
            _log.debug("download of %s failed, trying again: %s", pin["filename"], error)
            time.sleep(_PAUSES_S[attempt])
    found = _sha256(fetched)
    if found != pin["sha256"]:
        fetched.unlink()
        raise Fatal(
            f"{pin['filename']} arrived with SHA-256 {found}, but {pin['sha256']} is pinned: it was discarded. Try "
            "again; if it stays so, the repository or a proxy on the way serves an altered file."
        )
    fetched.replace(staging / "files" / pin["filename"])


def _jgo_download(coordinate: str, repository: Path, reporter: Reporter) -> Path:
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise UsageError(
            "the local stack needs more packages: pip install 'tradetrail[local]'"
        ) from error
    resolver = PythonResolver(progress_callback=reporter.download)
    context = MavenContext(resolver=resolver, repo_cache=repository, timeout=_SILENCE_MAX_S)
    context.remote_repos = {**GlobalSettings.load().repositories, **context.remote_repos}
    group, artifact, version, classifier, packaging = coordinate.split(":")
    component = context.project(group, artifact).at_version(version)
    file = resolver.download(component.artifact(classifier=classifier, packaging=packaging))
    if file is None:
        raise RuntimeError(f"{coordinate} was not found")
    return Path(file)


@contextmanager
def _locked(reporter: Reporter) -> Iterator[None]:
    with (cache_folder() / "lock").open("w") as stream:
        deadline = time.monotonic() + _LOCK_WAIT_MAX_S
        told = False
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if not told:
                    reporter.say("another process is downloading the same files; waiting for it")
                    told = True
                if time.monotonic() > deadline:
                    raise Unreachable(
                        f"another process has held {stream.name} too long; stop it"
                    ) from error
                time.sleep(0.2)
        yield


def _is_whole(file: Path, pin: dict[str, Any]) -> bool:
    return file.is_file() and file.stat().st_size == pin["size"] and _sha256(file) == pin["sha256"]


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
