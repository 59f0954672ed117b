"""Commands typed in this process: what they write and how they end, without the seconds that a new Python takes."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tradetrail.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended, named as ``subprocess.CompletedProcess`` does."""

    returncode: int
    stdout: str
    stderr: str


def typed(*words: str, env: Mapping[str, str]) -> Ran:
    """Run ``tradetrail`` with these words, ``env`` added to the environment; no stream is a terminal."""
    out, said = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with pytest.MonkeyPatch.context() as patched:
        for name, value in env.items():
            patched.setenv(name, value)
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", said)
        code = main.run([*words])
    return Ran(code, _content(out), _content(said))


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
