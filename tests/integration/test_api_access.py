"""Who gets in: tokens and roles over HTTP, sign-in for browsers, limits, and what is said to those who don't."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from services.auditor.api.entrance.identities import COOKIE, FAILURES_AT_ONCE
from tests.integration.api_server import PAGE, Served, is_problem, served
from tests.integration.trade_rows import Database
from tradetrail.tokens import Role, new_token, revoke_token

pytestmark = pytest.mark.stack

REPORT = "/reports/executed?limit=1"
CLIENTS = itertools.count(1)


@pytest.fixture(scope="module")
def open_api(trades: Database) -> Iterator[Served]:
    """Return an API without tokens."""
    with served(trades) as api:
        yield api


@pytest.fixture(scope="module")
def with_tokens(trades: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an API with a token for each role."""
    tokens_file = tmp_path_factory.mktemp("tokens") / "tokens.json"
    with served(trades, tokens_file, api_proxies=("127.0.0.1",)) as api:
        yield api


@pytest.fixture
def api(with_tokens: Served) -> Served:
    """Return the API with tokens as a client of this test's own sees it: nobody else's wrong tokens count."""
    return replace(with_tokens, address=f"192.0.2.{next(CLIENTS)}")


def session(api: Served, token: str) -> requests.Session:
    """Return a browser that has signed in."""
    browser = requests.Session()
    browser.headers.update({"Accept": PAGE, **api.heard_from()})
    answer = browser.post(
        f"{api.url}/sign-in", data={"token": api.tokens[token], "next": REPORT}, timeout=60
    )
    assert answer.status_code == 200
    assert answer.url == f"{api.url}{REPORT}"
    return browser


def test_without_tokens_everyone_who_reaches_it_reads(open_api: Served) -> None:
    assert open_api.ask(REPORT).status_code == 200
    assert open_api.ask("/health").json()["access"] == "open"
    assert "Sign out" not in open_api.ask("/", headers={"Accept": PAGE}).text
    is_problem(open_api.ask("/sign-in"), 404)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9", 200),
        ("[::1]:9", 200),
        ("localhost", 200),
        ("auditor:8080", 200),
        ("rebound.example.com", 403),
        ("[::", 400),
    ],
)
def test_without_tokens_no_name_of_another_site_leads_here(
    open_api: Served, host: str, status: int
) -> None:
    assert open_api.ask(REPORT, headers={"Host": host}).status_code == status
    assert open_api.ask("/metrics", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("role", Role)
def test_every_role_reads(api: Served, role: Role) -> None:
    assert api.ask(REPORT, role).status_code == 200


def test_without_a_right_token_nothing_is_told(api: Served) -> None:
    for path in ("/", REPORT, "/reports/symbol/AAPL", "/nowhere"):
        missing = api.ask(path)
        assert "Authorization" in is_problem(missing, 401)["detail"]
        assert missing.headers["WWW-Authenticate"] == 'Bearer realm="tradetrail"'
    wrong = api.ask(REPORT, new_token())
    is_problem(wrong, 401)
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    is_problem(api.ask(REPORT, headers={"Authorization": "Basic YTpi"}), 401)
    for path in ("/health", "/metrics", "/openapi.json", "/static/style.css"):
        assert api.ask(path).status_code in (200, 503), path
    assert api.ask("/health").json()["access"] == "tokens"


@pytest.mark.parametrize(
    "token",
    ["", " ", "x", "x" * 10_000, "\x80\xff", "tradetrail_", "' OR 1=1 --", "ünï"],
    ids=ascii,
)
def test_what_is_no_token_is_a_401(api: Served, token: str) -> None:
    answer = api.ask(REPORT, headers={"Authorization": f"Bearer {token}".encode()})
    is_problem(answer, 401)


def test_a_revoked_token_is_refused_at_the_next_request_and_its_browsers_are_out(
    api: Served,
) -> None:
    assert api.tokens_file is not None
    api.make_token("leaver", Role.VIEWER)
    browser = session(api, "leaver")
    assert browser.get(f"{api.url}{REPORT}", timeout=60).status_code == 200
    revoke_token(api.tokens_file, "leaver")
    assert is_problem(api.ask(REPORT, "leaver"), 401)["detail"].endswith("was revoked.")
    assert browser.get(f"{api.url}{REPORT}", timeout=60).status_code == 401
    assert api.ask(REPORT, "operator").status_code == 200


def test_an_expired_token_is_told_so_and_a_wrong_one_is_not(api: Served) -> None:
    api.make_token("old", Role.VIEWER, date(2020, 2, 29))
    assert "2020-02-29" in is_problem(api.ask(REPORT, "old"), 401)["detail"]
    assert "old" not in is_problem(api.ask(REPORT, new_token()), 401)["detail"]


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", '{"tokens": [{"name": "x"}]}', '{"tokens": []}{'],
    ids=["missing", "empty", "half", "a list", "incomplete", "two"],
)
def test_while_the_tokens_file_is_broken_nobody_gets_in(api: Served, content: str | None) -> None:
    assert api.tokens_file is not None
    sound, browser = api.tokens_file.read_bytes(), session(api, "viewer")
    if content is None:
        api.tokens_file.unlink()
    else:
        api.tokens_file.write_text(content)
    told = is_problem(api.ask(REPORT, "operator"), 503)["detail"]
    assert str(api.tokens_file) not in told
    assert browser.get(f"{api.url}{REPORT}", timeout=60).status_code == 503
    assert "tokens file" in api.ask("/health").json()["access_trouble"]
    api.tokens_file.write_bytes(sound)
    assert api.ask(REPORT, "operator").status_code == 200
    assert "access_trouble" not in api.ask("/health").json()


def test_a_browser_signs_in_reads_pages_and_signs_out(api: Served) -> None:
    asked = api.ask(REPORT, headers={"Accept": PAGE})
    assert asked.status_code == 401
    assert f'name="next" value="{REPORT}"' in asked.text
    assert "/reports/runs" not in asked.text
    assert "script" not in asked.text
    answer = api.ask(
        "/sign-in", method="POST", data={"token": api.tokens["compliance"], "next": REPORT}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, REPORT)
    cookie = answer.headers["Set-Cookie"]
    assert api.tokens["compliance"] not in cookie
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert "Secure" not in cookie
    browser = session(api, "compliance")
    page = browser.get(f"{api.url}/", timeout=60)
    assert "compliance, compliance" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    held = browser.cookies[COOKIE]
    browser.post(f"{api.url}/sign-out", timeout=60)
    # The cookie itself is worth nothing any more.
    assert api.ask(REPORT, headers={"Cookie": f"{COOKIE}={held}"}).status_code == 401


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "",
        "reports",
    ],
)
def test_a_sign_in_leads_nowhere_else(api: Served, onward: str) -> None:
    form = {"token": api.tokens["viewer"], "next": onward}
    assert api.ask("/sign-in", method="POST", data=form).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"token=wrong", "application/x-www-form-urlencoded", 401),
        (b"token=%ff%00%zz&next=%00", "application/x-www-form-urlencoded", 401),
        (b"\xff\xfe", "application/x-www-form-urlencoded; charset=utf-8", 401),
        (b"", "application/x-www-form-urlencoded", 401),
        (b"&".join(b"a=1" for _ in range(99)), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"token=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_a_bad_form_is_refused(api: Served, body: bytes, kind: str, status: int) -> None:
    answer = api.ask("/sign-in", method="POST", data=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    chunked = api.ask("/sign-in", method="POST", data=iter([body]), headers={"Content-Type": kind})
    assert chunked.status_code == status


def test_forms_of_other_sites_are_refused(api: Served) -> None:
    browser = session(api, "operator")
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        answer = browser.post(f"{api.url}/sign-out", headers={"Origin": origin}, timeout=60)
        assert answer.status_code == 403
    own = browser.post(f"{api.url}/sign-out", headers={"Origin": api.url}, timeout=60)
    assert own.status_code == 200


def test_who_tries_tokens_is_slowed_and_a_right_one_still_gets_in(api: Served) -> None:
    statuses = [api.ask(REPORT, new_token()).status_code for _ in range(FAILURES_AT_ONCE + 5)]
    assert statuses[:FAILURES_AT_ONCE] == [401] * FAILURES_AT_ONCE
    assert 429 in statuses
    last = api.ask(REPORT, new_token())
    is_problem(last, 429)
    assert int(last.headers["Retry-After"]) > 0
    form = api.ask("/sign-in", method="POST", data={"token": "wrong"})
    assert form.status_code == 429
    assert api.ask(REPORT, "viewer").status_code == 200


def test_each_token_has_its_own_limit_and_probes_have_none(
    trades: Database, tmp_path: Path
) -> None:
    with served(trades, tmp_path / "t.json", api_rate_per_s=0.001, api_burst=3) as api:
        statuses = [api.ask(REPORT, "viewer").status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = api.ask(REPORT, "viewer")
        is_problem(refused, 429)
        assert int(refused.headers["Retry-After"]) > 500
        assert api.ask(REPORT, "operator").status_code == 200
        for _ in range(5):
            assert api.ask("/metrics").status_code == 200
    with served(trades, api_rate_per_s=0.001, api_burst=1) as api:
        assert [api.ask(REPORT).status_code for _ in range(2)] == [200, 429]


def test_behind_a_proxy_clients_are_told_apart_and_the_cookie_is_secure(
    trades: Database, tmp_path: Path
) -> None:
    one, other = ({"X-Forwarded-For": f"192.0.2.{n}"} for n in (1, 2))
    limits: dict[str, Any] = {"api_rate_per_s": 0.001, "api_burst": 1}
    with served(trades, api_proxies=("127.0.0.1",), **limits) as api:
        statuses = [api.ask(REPORT, headers=each).status_code for each in (one, other, one)]
        assert statuses == [200, 200, 429]
    with served(trades, **limits) as api:
        statuses = [api.ask(REPORT, headers=each).status_code for each in (one, other)]
        assert statuses == [200, 429]
    with served(trades, tmp_path / "t.json", api_proxies=("127.0.0.1",)) as api:
        form = {"token": api.tokens["viewer"]}
        https = {"X-Forwarded-Proto": "https"}
        answer = api.ask("/sign-in", method="POST", data=form, headers=https)
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a-1.b:2", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("ü", False)],
)
def test_a_request_id_is_taken_if_it_is_well_formed(
    open_api: Served, given: str, kept: bool
) -> None:
    answer = open_api.ask(REPORT, headers={"X-Request-Id": given.encode()})
    told = answer.headers["X-Request-Id"]
    assert (told == given) is kept
    assert re.fullmatch(r"[0-9a-f]{32}", told) or kept


def test_a_line_in_the_log_names_who_asked_and_no_token(
    api: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    browser = session(api, "compliance")
    held = browser.cookies[COOKIE]
    api.ask("/reports/symbol/AAPL?from=2020-01-01", "viewer", headers={"X-Request-Id": "mine-1"})
    api.ask(f"{REPORT}&token={api.tokens['operator']}", "operator")
    wrong = new_token()
    api.ask(REPORT, wrong)
    out, err = capfd.readouterr()
    told = out + err
    (line,) = [line for line in told.splitlines() if "mine-1" in line]
    for part in ("request", "GET", "/reports/symbol/AAPL", "200", "viewer", "duration_ms"):
        assert part in line
    for secret in (*api.tokens.values(), held, wrong):
        assert secret not in told
