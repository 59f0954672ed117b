"""``tradetrail order``: what is refused before anything is written, and what is asked back."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tradetrail.cli import main

GOOD = ["order", "buy", "AAPL", "10", "--as", "ann", "--why", "test"]
# Nothing listens there: a command that gets as far as the log says so within a moment.
NOWHERE = "127.0.0.1:9"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADETRAIL_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["order", "buy", "A B", "10", "--as", "ann", "--why", "w"], "is no symbol"),
        (["order", "buy", "AAPL", "0", "--as", "ann", "--why", "w"], "the quantity is zero"),
        (["order", "sell", "AAPL", "1.0000000001", "--as", "ann", "--why", "w"], "nine decimals"),
        ([*GOOD, "--limit", "1.005"], "steps of 0.01"),
        (
            ["order", "buy", "AAPL", "0.5", "--time-in-force", "gtc", "--as", "a", "--why", "w"],
            "day orders only",
        ),
        (["order", "buy", "AAPL", "10", "--as", " ", "--why", "w"], "who orders"),
        (["order", "buy", "AAPL", "10", "--as", "ann", "--why", ""], "the reason"),
        (["order", "buy", "AAPL", "10", "--as", "ann", "--why", "w" * 1_001], "1000 characters"),
        ([*GOOD, "--key", "a b"], "a key has"),
        ([*GOOD, "--time-in-force", "ioc"], "ioc"),
        ([*GOOD, "--wait", "0"], "--wait"),
        (["order", "buy", "AAPL", "10", "--as", "ann"], "--why"),
        (["order", "hold", "AAPL", "10"], "hold"),
    ],
    ids=range(13),
)
def test_an_order_that_cannot_be_is_refused_before_the_log_is_asked(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRADETRAIL_KAFKA", NOWHERE)
    assert main.run(words) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert said.out == ""


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_help_shows_examples(side: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["order", side, "--help"]) == 0
    assert "Examples" in capsys.readouterr().out


def test_on_a_terminal_it_asks_back_and_no_means_no() -> None:
    near, far = pty.openpty()
    os.write(near, b"n\n")
    ended = subprocess.run(
        [sys.executable, "-m", "tradetrail", *GOOD, "--limit", "185.2"],
        env={**os.environ, "TRADETRAIL_KAFKA": NOWHERE},
        stdin=far,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(near)
    os.close(far)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "buy 10 AAPL at 185.2 USD, day\nas ann: test\n" in ended.stderr
    assert "nothing was ordered" in ended.stderr
