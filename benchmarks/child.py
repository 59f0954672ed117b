"""A measurement in a process of its own, so that memory and start-up are its own too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tradetrail.errors import Fatal
from tradetrail.settings import SharedSettings


def measured_apart(
    settings: SharedSettings, arguments: Sequence[str], what: str, timeout_s: float
) -> dict[str, Any]:
    """Run ``python -m`` with these arguments on the log of ``settings``; return the JSON object of its last line.

    Raises Fatal, naming ``what``, when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env={
            **os.environ,
            "TRADETRAIL_KAFKA": settings.kafka,
            "TRADETRAIL_REGISTRY_URL": settings.registry_url,
            "TRADETRAIL_TOPIC_PREFIX": settings.topic_prefix,
        },
        stdout=subprocess.PIPE,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise Fatal(f"{what} ended with exit code {done.returncode}; see above")
    return dict(json.loads(done.stdout.splitlines()[-1]))
