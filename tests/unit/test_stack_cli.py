"""How the command line ends: exit codes and messages, without a stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from tradetrail.cli import main
from tradetrail.errors import Fatal, Retryable, TradetrailError, Unreachable, UsageError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADETRAIL_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    "words", [["frob"], ["status", "--format", "xml"], ["up", "--nope"], ["down", "extra"], []]
)
def test_words_nobody_knows_are_usage_errors(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(words) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["up", "--help"]) == 0
    assert "Examples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError, 2), (Unreachable, 3), (Fatal, 1), (Retryable, 3)],
)
def test_an_error_becomes_a_line_and_a_code(
    error: type[TradetrailError],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error("the moon is in the way; wait")

    def build() -> typer.Typer:
        app = typer.Typer()
        app.command()(fail)
        return app

    monkeypatch.setattr(main, "build_app", build)
    assert main.run([]) == code
    assert capsys.readouterr().err == "tradetrail: the moon is in the way; wait\n"


def test_no_stack_is_unreachable_for_status_and_fine_for_down(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.run(["status"]) == 3
    assert "start one with `tradetrail up`" in capsys.readouterr().err
    assert main.run(["down"]) == 0


def test_up_refuses_unknown_parts_and_absent_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["up", "--only", "kafka,frob"]) == 2
    assert "unknown part frob" in capsys.readouterr().err
    assert main.run(["up", "--data", str(tmp_path / "absent")]) == 2
    assert "there is no data folder" in capsys.readouterr().err


def test_doctor_says_what_the_first_start_will_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRADETRAIL_CACHE_DIR", str(tmp_path / "cache"))
    assert main.run(["doctor", "--format", "json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert "kafka, registry will be downloaded" in checks["cache"]["found"]
    assert checks["java"]["ok"]


def test_doctor_tells_javas_version_whatever_options_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
    main.run(["doctor", "--format", "json"])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert "version" in checks["java"]["found"]


def test_doctor_says_what_to_do_about_a_server_that_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRADETRAIL_REGISTRY_URL", "http://127.0.0.1:9")
    assert main.run(["doctor"]) == 1
    assert "correct TRADETRAIL_REGISTRY_URL" in capsys.readouterr().out
