"""How long the audit tables take to be made again from the log, compared and swapped in, per million events."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from benchmarks.audit_rig import audited, field, log_environment, new_schema
from benchmarks.parts import Say
from tradetrail.errors import Fatal

_MILLION = 1_000_000
_MAX_S = 1_800.0


def rebuild(kafka: str, registry_url: str, dsn: str, events: int, say: Say) -> dict[str, Any]:
    """Audit ``events`` events, rebuild all tables from them, and return the seconds a million would take."""
    made = field(kafka, registry_url, dsn, events)
    with new_schema(dsn) as schema:
        audited(made, schema)
        env = {
            **os.environ,
            **log_environment(made.settings),
            "TRADETRAIL_POSTGRES_DSN": dsn,
            "TRADETRAIL_POSTGRES_SCHEMA": schema,
        }
        command = [sys.executable, "-m", "services.auditor", "--rebuild", "--apply", "--drop-old"]
        begun = time.perf_counter()
        done = subprocess.run(
            [*command, "--as", "bench", "--why", "to take its time"],
            env=env,
            stdout=subprocess.DEVNULL,
            timeout=_MAX_S,
            check=False,
        )
        took_s = time.perf_counter() - begun
    if done.returncode:
        raise Fatal(f"the rebuild ended with exit code {done.returncode}; see above")
    say(f"rebuilt {made.count:,} events in {took_s:.1f} s")
    return {
        "rebuilt_events": made.count,
        "rebuild_s": round(took_s, 2),
        "rebuild_1m_s": round(took_s * _MILLION / made.count, 1),
    }
