"""Downloads into the cache: whole or not at all, checked, by one process at a time; from a file server of our own."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.eventually import eventually
from tradetrail.errors import Fatal, Unreachable
from tradetrail.stack import artifacts
from tradetrail.stack.provisions import StderrReporter

JAR = b"the bytes of a jar" * 5000
PATH = "/g/a/1.0/a-1.0.jar"
ARCHIVE_PATH = "/g/b/2.0/b-2.0-all.tar.gz"


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("inner/file.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    return buffer.getvalue()


class FileServer(ThreadingHTTPServer):
    """Serves ``files`` by path; cuts the first ``cuts`` answers in the middle; waits at ``gate``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {PATH: JAR, ARCHIVE_PATH: _archive()}
        self.cuts = 0
        self.requested: list[str] = []
        self.gate = threading.Event()
        self.gate.set()


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        body = self.server.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.server.requested.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2
        self.wfile.write(body[:half])
        self.wfile.flush()
        self.server.gate.wait(90)
        if self.server.cuts:
            self.server.cuts -= 1
            self.close_connection = True
            return
        try:
            self.wfile.write(body[half:])
        except BrokenPipeError:
            return

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Serve one jar and one archive, pinned, with a cache of the test's own."""
    running = FileServer()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    config = tmp_path / "jgo.conf"
    config.write_text(f"[repositories]\nlocal = http://127.0.0.1:{running.server_address[1]}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(config))
    monkeypatch.setenv("TRADETRAIL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(artifacts, "_LOCK_FILE", _lock_file(tmp_path, running.files))
    monkeypatch.setattr(artifacts, "_PAUSES_S", (0.01, 0.01))
    yield running
    running.gate.set()
    running.shutdown()
    thread.join()
    running.server_close()


def _lock_file(folder: Path, files: dict[str, bytes]) -> Path:
    def pin(coordinate: str, path: str) -> dict[str, object]:
        body = files[path]
        digest = hashlib.sha256(body).hexdigest()
        name = path.rpartition("/")[2]
        return {"coordinate": coordinate, "filename": name, "size": len(body), "sha256": digest}

    jar, archive = pin("g:a:1.0::jar", PATH), pin("g:b:2.0:all:tar.gz", ARCHIVE_PATH)
    content = {
        "kafka": {"version": "1.0", "files": [jar]},
        "registry": {"version": "2.0", "unpack": True, "files": [archive]},
    }
    file = folder / "artifacts.json"
    file.write_text(json.dumps(content))
    return file


def test_a_file_is_fetched_once_and_found_again(server: FileServer) -> None:
    first = artifacts.ensure("kafka", StderrReporter())
    assert (first / "a-1.0.jar").read_bytes() == JAR
    assert artifacts.ensure("kafka", StderrReporter()) == first
    assert server.requested == [PATH]
    assert artifacts.problem_with("kafka", thorough=True) is None


def test_an_archive_is_unpacked(server: FileServer) -> None:
    folder = artifacts.ensure("registry", StderrReporter())
    assert (folder / "inner" / "file.txt").read_text() == "hello"
    assert not list((artifacts.cache_folder() / "staging").iterdir())


def test_an_altered_file_is_refused_and_never_cached(server: FileServer) -> None:
    server.files[PATH] = b"x" + JAR[1:]
    with pytest.raises(Fatal, match=r"a-1\.0\.jar arrived with SHA-256"):
        artifacts.ensure("kafka", StderrReporter())
    assert not artifacts.folder_of("kafka").exists()
    server.files[PATH] = JAR
    assert artifacts.ensure("kafka", StderrReporter()).is_dir()


def test_a_cut_download_is_tried_again(server: FileServer) -> None:
    server.cuts = 1
    assert (artifacts.ensure("kafka", StderrReporter()) / "a-1.0.jar").read_bytes() == JAR
    assert server.requested == [PATH, PATH]


def test_a_server_that_always_cuts_ends_in_a_clear_message(server: FileServer) -> None:
    server.cuts = 99
    with pytest.raises(Unreachable, match=r"a-1\.0\.jar could not be downloaded after 3 attempts"):
        artifacts.ensure("kafka", StderrReporter())
    assert not artifacts.folder_of("kafka").exists()


def test_a_damaged_cache_is_noticed_and_mended(server: FileServer) -> None:
    folder = artifacts.ensure("kafka", StderrReporter())
    (folder / "a-1.0.jar").write_bytes(JAR[:-1])
    assert artifacts.problem_with("kafka") is not None
    assert (artifacts.ensure("kafka", StderrReporter()) / "a-1.0.jar").read_bytes() == JAR
    (folder / "a-1.0.jar").write_bytes(b"x" + JAR[1:])
    assert "altered" in str(artifacts.problem_with("kafka", thorough=True))


def _fetching_process(lock_file: Path) -> subprocess.Popen[bytes]:
    code = (
        "import sys, pathlib; from tradetrail.stack import artifacts; "
        "from tradetrail.stack.provisions import StderrReporter; "
        "artifacts._LOCK_FILE = pathlib.Path(sys.argv[1]); artifacts.ensure('kafka', StderrReporter())"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(lock_file)], stderr=subprocess.DEVNULL)


def test_a_download_killed_in_the_middle_leaves_nothing_that_counts(
    server: FileServer, tmp_path: Path
) -> None:
    server.gate.clear()
    with _fetching_process(tmp_path / "artifacts.json") as killed:
        eventually(lambda: server.requested)
        killed.kill()
    assert not artifacts.folder_of("kafka").exists()
    server.gate.set()
    assert (artifacts.ensure("kafka", StderrReporter()) / "a-1.0.jar").read_bytes() == JAR


def test_of_two_processes_at_once_one_downloads(server: FileServer, tmp_path: Path) -> None:
    server.gate.clear()
    lock_file = tmp_path / "artifacts.json"
    with _fetching_process(lock_file) as one, _fetching_process(lock_file) as other:
        eventually(lambda: server.requested)
        server.gate.set()
        assert (one.wait(90), other.wait(90)) == (0, 0)
    assert server.requested == [PATH]
