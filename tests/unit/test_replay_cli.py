"""Which log `tradetrail replay` reads when none runs and none is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tradetrail.cli.replay import _stopped
from tradetrail.stack.home import Home


def ran_at(root: Path, seconds: int) -> Home:
    home = Home(root)
    (home.data / "kafka" / "log").mkdir(parents=True)
    home.state_file.write_text("{}")
    os.utime(home.state_file, (seconds, seconds))
    return home


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADETRAIL_HOME", str(tmp_path))
    return tmp_path


def test_where_nothing_ever_ran_there_is_none(root: Path) -> None:
    assert _stopped() is None


@pytest.mark.parametrize("demo_at", [1, 3])
def test_it_is_that_of_the_stack_that_ran_last(root: Path, demo_at: int) -> None:
    own, demo = ran_at(root, 2), ran_at(root / "demo", demo_at)
    assert _stopped() == (demo if demo_at == 3 else own)


def test_a_demo_alone_is_enough(root: Path) -> None:
    demo = ran_at(root / "demo", 1)
    assert _stopped() == demo
