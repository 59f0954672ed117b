"""Tokens: what is kept of them, how their file is read and written, and the commands that do it."""

from __future__ import annotations

import json
import os
import stat
import threading
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import Typer
from typer.testing import CliRunner

from services.auditor.api.entrance.browser_sessions import SESSIONS_MAX, BrowserSessions
from services.auditor.api.entrance.identities import identities_of
from services.auditor.api.entrance.sign_in import local
from services.auditor.api.settings import ApiSettings, check_exposure
from tradetrail.cli import token as commands
from tradetrail.errors import UsageError
from tradetrail.tokens import (
    PREFIX,
    Role,
    add_token,
    digest,
    entry_of,
    holder_of,
    new_token,
    read_tokens,
    revoke_token,
)

DAY = date(2026, 3, 2)
TOKEN = new_token()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a tokens file may be made."""
    return tmp_path / "tokens.json"


def add(file: Path, name: str, expires: date | None = None) -> str:
    token = new_token()
    add_token(file, entry_of(token, name, Role.VIEWER, DAY, expires))
    return token


def test_a_token_is_256_random_bits_that_the_file_does_not_hold(file: Path) -> None:
    token = add(file, "ann")
    assert token.startswith(PREFIX)
    assert len(token) == len(PREFIX) + 43
    assert token != new_token()
    content = file.read_text()
    assert token not in content
    assert token.removeprefix(PREFIX) not in content
    assert digest(token) in content


def test_only_the_whole_token_has_a_holder(file: Path) -> None:
    tokens = {name: add(file, name) for name in ("ann", "bob")}
    known = read_tokens(file)
    for name, token in tokens.items():
        found = holder_of(known, token)
        assert found is not None
        assert found.name == name
        for wrong in ("", token[:-1], f"{token}x", token.swapcase(), digest(token)):
            assert holder_of(known, wrong) is None


@given(st.text(max_size=200))
def test_no_other_text_has_a_holder(text: str) -> None:
    known = (entry_of(TOKEN, "ann", Role.VIEWER, DAY, None),)
    assert holder_of(known, text) is None


def test_the_last_day_is_good_and_the_next_is_not() -> None:
    entry = entry_of(TOKEN, "ann", Role.VIEWER, DAY, DAY)
    assert not entry.is_over(DAY)
    assert entry.is_over(DAY.replace(day=3))
    assert not entry_of(TOKEN, "ann", Role.VIEWER, DAY, None).is_over(date.max)


@pytest.mark.parametrize(
    ("name", "expires"),
    [
        ("", None),
        ("a b", None),
        ("a\nb", None),
        ("-a", None),
        ("a" * 65, None),
        ("a", date(2026, 3, 1)),
    ],
)
def test_a_token_that_can_not_be_is_refused(name: str, expires: date | None) -> None:
    with pytest.raises(UsageError):
        entry_of(TOKEN, name, Role.VIEWER, DAY, expires)


SOUND = {"name": "ann", "role": "viewer", "sha256": "0" * 64, "created": "2026-03-02"}


@pytest.mark.parametrize(
    "tokens",
    [
        [{**SOUND, "role": "root"}],
        [{**SOUND, "sha256": TOKEN}],
        [{**SOUND, "expires": "soon"}],
        [{**SOUND, "created": 5}],
        [{**SOUND, "note": "x"}],
        [SOUND, {**SOUND, "sha256": "1" * 64}],
        [SOUND, {**SOUND, "name": "bob"}],
        [{**SOUND, "name": f"n{n}", "sha256": f"{n:064}"} for n in range(1_001)],
        {"ann": SOUND},
        None,
    ],
    ids=range(10),
)
def test_a_wrong_file_is_refused_and_its_values_are_not_told(file: Path, tokens: object) -> None:
    file.write_text(json.dumps({"tokens": tokens}))
    with pytest.raises(UsageError, match="tokens file") as refused:
        read_tokens(file)
    assert TOKEN not in str(refused.value)


def test_a_file_larger_than_any_list_of_tokens_is_refused(file: Path) -> None:
    file.write_bytes(b" " * (1 << 20) + b"{}")
    with pytest.raises(UsageError, match="larger"):
        read_tokens(file)


def test_a_change_replaces_the_file_whole_and_keeps_its_mode_and_the_link_to_it(
    file: Path, tmp_path: Path
) -> None:
    add(file, "ann")
    file.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(file)
    before = file.stat().st_ino
    add(link, "bob")
    assert link.is_symlink()
    assert file.stat().st_ino != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert {each.name for each in read_tokens(file)} == {"ann", "bob"}
    assert sorted(os.listdir(tmp_path)) == ["link.json", "tokens.json"]


def test_commands_at_the_same_time_lose_no_token(file: Path) -> None:
    threads = [threading.Thread(target=add, args=(file, f"n{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.name for each in read_tokens(file)} == {f"n{n}" for n in range(8)}


def test_names_are_told_apart_and_only_what_is_there_is_revoked(file: Path) -> None:
    add(file, "ann")
    with pytest.raises(UsageError, match="ann"):
        add(file, "ann")
    with pytest.raises(UsageError, match="bob"):
        revoke_token(file, "bob")
    revoke_token(file, "ann")
    assert read_tokens(file) == ()


def test_the_commands_make_list_and_revoke(file: Path) -> None:
    app, runner = Typer(), CliRunner()
    commands.register(app)

    def run(*words: str) -> str:
        ran = runner.invoke(app, ["token", *words], env={"TRADETRAIL_API_TOKENS_FILE": str(file)})
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    token = run("new", "--name", "ann", "--role", "operator", "--expires", "2999-12-31").strip()
    found = holder_of(read_tokens(file), token)
    assert found is not None
    assert (found.name, found.role, found.expires) == ("ann", Role.OPERATOR, date(2999, 12, 31))
    listed = json.loads(run("list", "--format", "json"))["tokens"]
    assert [(each["name"], each["role"], each["expired"]) for each in listed] == [
        ("ann", "operator", False)
    ]
    assert "sha256" not in listed[0]
    assert "2999-12-31" in run("list")
    run("revoke", "ann")
    assert read_tokens(file) == ()
    missing = runner.invoke(app, ["token", "list"], env={"TRADETRAIL_API_TOKENS_FILE": ""})
    assert missing.exit_code == 2


def test_a_session_ends_with_time_by_signing_out_and_never_outnumbers_its_bound() -> None:
    now = 0.0
    sessions = BrowserSessions(60.0, lambda: now)
    first, second = sessions.begin("h1"), sessions.begin("h2")
    assert (sessions.token_of(first), sessions.token_of(second)) == ("h1", "h2")
    assert sessions.token_of("") is None
    sessions.end(second)
    assert sessions.token_of(second) is None
    now = 60.0
    assert sessions.token_of(first) is None
    kept = [sessions.begin("h") for _ in range(SESSIONS_MAX + 1)]
    assert sessions.token_of(kept[0]) is None
    assert sessions.token_of(kept[1]) == "h"


@pytest.mark.parametrize(
    ("host", "settings", "refused"),
    [
        ("127.0.0.1", {}, False),
        ("::1", {}, False),
        ("localhost", {}, False),
        ("0.0.0.0", {}, True),
        ("10.1.2.3", {}, True),
        ("auditor", {}, True),
        ("0.0.0.0", {"api_open": True}, False),
        ("0.0.0.0", {"api_tokens_file": "/run/tokens.json"}, False),
    ],
)
def test_other_machines_read_only_with_tokens_or_by_somebodys_word(
    host: str, settings: dict[str, object], refused: bool
) -> None:
    configured = ApiSettings.model_validate(settings)
    if refused:
        with pytest.raises(UsageError, match="TRADETRAIL_API_OPEN"):
            check_exposure(configured, host)
    else:
        check_exposure(configured, host)


def test_a_start_with_a_broken_file_is_refused_and_without_one_there_is_nobody_to_know(
    file: Path,
) -> None:
    assert identities_of(ApiSettings(api_tokens_file="")) is None
    with pytest.raises(UsageError, match="tokens file"):
        identities_of(ApiSettings(api_tokens_file=str(file)))


@given(st.text(max_size=40).map(lambda text: f"/{text}"))
def test_a_way_on_is_on_this_site(address: str) -> None:
    onward = local(address)
    assert onward.startswith("/")
    assert not onward.startswith(("//", "/\\"))
    assert onward.isprintable()
