"""docs/compliance.md: every command, address and statement of the page is executed, by the log-in it makes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, audit_of
from tests.integration.fresh_log import fresh_log
from tests.oversight_story import told
from tradetrail.cli.main import run
from tradetrail.log.kafka import open_producer

pytestmark = pytest.mark.stack

PAGE = (Path(__file__).parents[2] / "docs" / "compliance.md").read_text(encoding="utf-8")
BLOCKS = [(kind, text) for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.S | re.M)]
LINES = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
COMMANDS = [line for line in LINES if line.startswith("tradetrail ")]
ADDRESSES = [line for line in LINES if line.startswith("curl ")]
USER_MADE = "python -m services.auditor --add-compliance-user ann"
STATEMENTS = [text.strip() for kind, text in BLOCKS if kind == "sql"]
# What the page calls things, and what the test's story does. Each word must stand on the page.
DECISION = "300870cc-bf2b-5475-88eb-cd69963b372a"
STANDS_FOR = {
    DECISION: story.an_id("d", "d1"),
    "c18e6898-1541-52ac-b8e5-dd6f1161fbe8": "run-1",
    "7034aee3-927f-556b-bceb-75cfbec31703": story.an_id("record", "r1"),
    "2024-01-01": "2020-01-01",
    "2024-01-02": "2020-01-02",
    "2024-01-31": "2020-04-01",
    "2024-02-01": "2020-04-01",
    "2024-04-01": "2020-04-01",
    "2024-04-02": "2020-04-02",
    "2024-04-03": "2020-04-03",
    "2024-12-31": "2020-12-31",
    "2025-01-01": "2021-01-01",
}
# No row is the good answer of these.
GOOD_WHEN_EMPTY = ("<= s.disclosed_on", "s.record_offset > d.view_through")


@dataclass(frozen=True)
class Desk:
    """A person of compliance at work: the audit, its address, their log-in, and what the page's words stand for."""

    audit: Audit
    url: str
    login: str
    words: dict[str, str]

    def here(self, text: str) -> str:
        """Return a line or statement of the page in the story's words."""
        for word, stands_for in self.words.items():
            text = text.replace(word, stands_for)
        return text


@pytest.fixture(scope="module")
def desk(stack: Any) -> Iterator[Desk]:
    """Return the desk of a user whom the page's own command made; the auditor runs on."""
    dsn, user = stack.addresses.postgres_dsn, f"ann_{uuid4().hex[:8]}"
    with audit_of(fresh_log(stack), dsn) as audit:
        audit.send(told())
        producer = open_producer(audit.log)
        producer.produce(f"{audit.log.topic_prefix}default", key=b"GE", value=b"garbage")
        assert producer.flush(60) == 0
        auditor = audit.start().wait_ready()
        audit.wait_audited()
        made = subprocess.run(
            [sys.executable, *shlex.split(USER_MADE.replace("ann", user))[1:]],
            env={**os.environ, **settings(audit)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert made.returncode == 0, made.stderr
        try:
            login = make_conninfo(dsn, user=user, password=made.stdout.strip())
            yield Desk(audit, auditor.url, login, STANDS_FOR | places(audit))
        finally:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))


def settings(audit: Audit) -> dict[str, str]:
    return {
        "TRADETRAIL_KAFKA": audit.log.kafka,
        "TRADETRAIL_REGISTRY_URL": audit.log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": audit.log.topic_prefix,
        "TRADETRAIL_POSTGRES_DSN": audit.dsn,
        "TRADETRAIL_POSTGRES_SCHEMA": audit.schema,
    }


def places(audit: Audit) -> dict[str, str]:
    """Return what the page's two places in the log stand for, as they are spelled in commands, addresses and SQL."""
    found = audit.rows(
        'SELECT d.topic, d.partition, d."offset", c.topic, c.partition, c."offset" '
        "FROM trade_decisions d, api_payloads c WHERE d.decision_id = %(decision)s AND c.run_id = 'run-1'",
        decision=STANDS_FOR[DECISION],
    )
    (row,) = found
    decision, call = row[:3], row[3:]
    in_sql = "e.topic = '{}' AND e.partition = {} AND e.\"offset\" = {}"
    spelled = ("{} {} {}", "{}/{}/{}", in_sql)
    of_decision = {text.format("trade.megacap", 1, 20): text.format(*decision) for text in spelled}
    of_call = {text.format("trade.runs", 0, 105): text.format(*call) for text in spelled[:2]}
    return of_decision | of_call


def test_every_block_is_of_a_kind_that_is_executed_or_an_answer() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "sql", "text"}
    assert sorted(LINES) == sorted([*COMMANDS, *ADDRESSES, USER_MADE])
    for kind, text in BLOCKS:
        assert kind != "sql" or text.strip().endswith(";")


def test_every_word_of_the_demo_stands_on_the_page(desk: Desk) -> None:
    executed = "\n".join([*LINES, *STATEMENTS])
    for word in desk.words:
        assert word in executed, word
    days = set(re.findall(r"\d{4}-\d\d-\d\d", executed))
    assert days <= set(STANDS_FOR)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_answers(
    desk: Desk, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    for name, value in settings(desk.audit).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRADETRAIL_POSTGRES_DSN", desk.login)
    monkeypatch.setenv("TRADETRAIL_AUDITOR_READER_ROLE", "")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(desk.here(line))[1:]
    assert run(words) == 0, capfd.readouterr().err
    target = tmp_path / words[words.index("-o") + 1] if "-o" in words else None
    answer = target.read_text() if target else capfd.readouterr().out
    assert answer.strip()
    # A listing begins with what it lists.
    assert not re.match(r"\s*[a-z ]+: none$", answer, re.M), answer


@pytest.mark.parametrize("line", ADDRESSES)
def test_an_address_of_the_page_answers(desk: Desk, line: str) -> None:
    address = shlex.split(desk.here(line))[1].replace("$AUDITOR", desk.url)
    answer = requests.get(address, timeout=60)
    assert answer.status_code == 200, answer.text
    counts = answer.json().get("totals", {"rows": 1})
    assert any(counts.values()) or isinstance(counts, list), counts


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: text.splitlines()[0][:60])
def test_a_statement_of_the_page_answers(desk: Desk, statement: str) -> None:
    with psycopg.connect(desk.login, autocommit=True) as connection:
        cursor = connection.execute(desk.here(statement).encode())
        names = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
    assert rows or any(words in statement for words in GOOD_WHEN_EMPTY), "it answers nothing"
    for shown in shown_below(statement):
        assert [name.strip() for name in shown.splitlines()[0].split("|")] == names


def shown_below(statement: str) -> list[str]:
    """Return the answer that the page shows below a statement, if it does."""
    spelled = [(kind, text.strip("\n")) for kind, text in BLOCKS]
    following = spelled[spelled.index(("sql", statement)) + 1 :][:1]
    return [text for kind, text in following if kind == "text"]


def test_the_cheat_sheet_has_a_statement_for_every_view(desk: Desk) -> None:
    sheet = PAGE.split("## Cheat sheet")[1]
    with psycopg.connect(desk.login, autocommit=True) as connection:
        views = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'v'"
        ).fetchall()
    assert views
    for (view,) in views:
        assert re.search(rf"\*\*`{view}`\*\*: .*?```sql\n[^`]*FROM {view}\b", sheet, re.S), view


def test_it_claims_no_compliance() -> None:
    assert "designed along" in PAGE
    assert not re.search(r"\bcompliant\b", PAGE)
