"""``tradetrail order``: what is refused before anything is written, and what is asked back."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tradetrail.cli import main

GOOD = ["order", "buy", "AAPL", "10", "--as", "ann", "--why", "test"]
PERSON = ["--as", "ann", "--why", "test"]
# Nothing listens there: a command that gets as far as the log says so within a moment.
NOWHERE = "127.0.0.1:9"


class Terminal(io.StringIO):
    """Typed input that says it comes from a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


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
        (["order", "cancel", " ", *PERSON], "id of a decision"),
        (["order", "cancel", "d-1", "--symbol", "A B", *PERSON], "is no symbol"),
        (["order", "cancel", "d-1", "--as", "ann"], "--why"),
        (["order", "replace", "d-1", *PERSON], "nothing to replace"),
        (["order", "replace", "d-1", "--qty", "0.5", *PERSON], "whole shares"),
        (["order", "resolve", "d-1", "lost", *PERSON], "lost"),
        (["order", "resolve", "d-1", "filled", *PERSON], "--qty and --price"),
        (["order", "reconcile", "--as", " ", "--why", "w"], "who orders"),
        (["halt", "--symbol", "AAPL", "--strategy", "Name", *PERSON], "not both"),
        (["halt", "--symbol", "A B", *PERSON], "is no symbol"),
        (["halt", "--as", "ann", "--why", ""], "the reason"),
        (["resume", "--strategy", " ", *PERSON], "a strategy has a name"),
    ],
    ids=range(25),
)
def test_an_order_that_cannot_be_is_refused_before_the_log_is_asked(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRADETRAIL_KAFKA", NOWHERE)
    assert main.run(words) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "words",
    [
        *(["order", word] for word in ("buy", "sell", "cancel", "replace", "resolve", "reconcile")),
        ["halt"],
        ["resume"],
    ],
    ids="-".join,
)
def test_help_shows_examples(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*words, "--help"]) == 0
    assert "Example" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["order", "cancel", "d-1"], "cancel d-1"),
        (["order", "replace", "d-1", "--qty", "5"], "replace d-1 by 5 shares"),
        (["order", "resolve", "d-1", "not-sent"], "settle d-1 as not-sent"),
        (["halt", "--cancel-open"], "halt it and cancel its open orders"),
        (["resume"], "lift every halt"),
    ],
    ids=range(5),
)
def test_what_cannot_be_undone_is_asked_back(
    words: list[str],
    meant: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TRADETRAIL_KAFKA", NOWHERE)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main.run([*words, *PERSON]) == 1
    assert meant in capsys.readouterr().err


def test_on_a_terminal_it_asks_back_and_no_means_no() -> None:
    near, far = pty.openpty()
    os.write(near, b"n\n")
    ended = subprocess.run(
        [sys.executable, "-m", "tradetrail", *GOOD, "--limit", "185.2"],
        env={**os.environ, "TRADETRAIL_KAFKA": NOWHERE},
        stdin=far,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    os.close(near)
    os.close(far)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "buy 10 AAPL at 185.2 USD, day\nas ann: test\n" in ended.stderr
    assert "nothing was ordered" in ended.stderr
