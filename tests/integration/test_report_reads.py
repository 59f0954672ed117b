"""Reads under the compliance role: each is in the log before its answer, once, and a report tells of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from services.auditor.api.negotiation import MEDIA_TYPES, Form
from services.auditor.api.reports.reads import ReadLog
from tests import auditor_story as story
from tests.eventually import eventually
from tests.free_port import free_port
from tests.integration.api_server import Served, is_problem, served
from tests.integration.auditor_harness import audit_of
from tests.integration.fresh_log import fresh_log
from tests.integration.trade_rows import Database
from tradetrail.errors import Retryable, Unreachable
from tradetrail.events.generated import QueryRecorded
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer
from tradetrail.log.topics import Topics
from tradetrail.stack.local import LocalStack
from tradetrail.tokens import Role, add_token, entry_of, new_token

pytestmark = pytest.mark.stack

DECISION = story.an_id("d", "d1")
# Every report once: path, what is recorded as its name, its arguments.
READS: list[tuple[str, str, dict[str, Any]]] = [
    ("/", "overview", {}),
    ("/reports/runs?limit=5&task=", "runs", {"limit": 5}),
    ("/reports/executed?symbol=AAPL", "executed", {"limit": 100, "symbol": "AAPL"}),
    ("/reports/failed?from=2020-03-01", "failed", {"from": "2020-03-01", "limit": 100}),
    ("/reports/declined", "declined", {"limit": 100}),
    ("/reports/performance", "performance", {}),
    (f"/reports/decision/{DECISION}", "decision", {"decision_id": DECISION}),
    (f"/reports/known-at/{DECISION}", "known-at", {"decision_id": DECISION}),
    ("/reports/symbol/aapl?by=reported&key=secret", "symbol", {"symbol": "AAPL", "by": "reported"}),
    ("/reports/unresolved", "unresolved", {"limit": 100}),
    ("/reports/operator-acts", "operator-acts", {"limit": 100}),
    ("/reports/portfolio", "portfolio", {}),
    ("/reports/reads", "reads", {"limit": 100}),
]
ALL = "/reports/executed?all=true&symbol=MSFT"


@pytest.fixture(scope="module")
def api(trades: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an API with a token for each role, whose reads are noted."""
    with served(trades, tmp_path_factory.mktemp("tokens") / "tokens.json") as api:
        yield api


@pytest.fixture
def noted(api: Served) -> list[QueryRecorded]:
    """Return where this test's reads are noted."""
    api.reads.clear()
    return api.reads


@pytest.mark.parametrize(
    ("path", "report", "arguments"), READS, ids=[report for _, report, _ in READS]
)
def test_each_report_read_under_compliance_is_recorded_once(
    api: Served, noted: list[QueryRecorded], path: str, report: str, arguments: dict[str, Any]
) -> None:
    for role in (Role.VIEWER, Role.OPERATOR):
        assert api.ask(path, role).status_code == 200
    assert not noted
    answer = api.ask(path, Role.COMPLIANCE, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    (read,) = noted
    assert (read.reader, read.role, read.query) == ("compliance", "compliance", report)
    assert json.loads(read.arguments).items() >= arguments.items()
    assert (read.outcome, read.format) == ("answered", "json")
    assert read.path == path.partition("?")[0]
    assert read.request_id == answer.headers["X-Request-Id"]
    assert "secret" not in repr(read)
    assert api.tokens[Role.COMPLIANCE] not in repr(read)


def test_a_page_is_a_read_and_rows_are_counted(api: Served, noted: list[QueryRecorded]) -> None:
    for rows, form in enumerate(Form, start=1):
        asked, headers = f"/reports/executed?limit={rows}", {"Accept": MEDIA_TYPES[form]}
        assert api.ask(asked, Role.COMPLIANCE, headers=headers).status_code == 200
    assert [(read.rows, read.format) for read in noted] == list(enumerate(Form, start=1))


def test_that_there_is_nothing_is_an_answer_too(api: Served, noted: list[QueryRecorded]) -> None:
    is_problem(api.ask("/reports/decision/nobody", Role.COMPLIANCE), 404)
    is_problem(api.ask("/reports/executed?all=true&symbol=ZZZZ", Role.COMPLIANCE), 404)
    assert [(read.query, read.outcome, read.rows) for read in noted] == [
        ("decision", "nothing_recorded", 0),
        ("executed", "nothing_recorded", 0),
    ]


def test_what_is_not_answered_is_no_read(api: Served, noted: list[QueryRecorded]) -> None:
    is_problem(api.ask("/reports/executed?limit=0", Role.COMPLIANCE), 422)
    is_problem(api.ask("/reports/executed?symbol=A%20B", Role.COMPLIANCE), 400)
    is_problem(api.ask("/reports/executed", Role.COMPLIANCE, headers={"Accept": "image/png"}), 406)
    for path in ("/health", "/metrics", "/static/style.css", "/openapi.json"):
        api.ask(path, Role.COMPLIANCE)
    assert not noted


def test_an_export_is_recorded_when_it_begins_and_when_it_ends(
    api: Served, noted: list[QueryRecorded]
) -> None:
    assert api.ask(ALL, Role.COMPLIANCE).status_code == 200
    begun, ended = noted
    assert (begun.outcome, begun.rows, begun.rows_expected) == ("export_begun", 0, 4)
    assert (ended.outcome, ended.rows) == ("export_complete", 4)
    assert begun.read_id == ended.read_id
    assert begun.event_id != ended.event_id
    assert json.loads(begun.arguments) == {"symbol": "MSFT", "all": True}


def test_what_can_not_be_recorded_is_not_answered(trades: Database, tmp_path: Path) -> None:
    def away(_: QueryRecorded) -> None:
        raise Unreachable("nobody there")

    with served(trades, tmp_path / "tokens.json", publish=away) as unheard:
        for path in ("/reports/executed", "/reports/executed?all=true", "/reports/decision/nobody"):
            answer = unheard.ask(path, Role.COMPLIANCE)
            assert "can be recorded" in is_problem(answer, 503)["detail"]
            assert answer.headers["Retry-After"]
        assert unheard.ask("/reports/executed", Role.VIEWER).status_code == 200
        assert unheard.ask(ALL, Role.VIEWER).status_code == 200


def test_an_export_whose_end_can_not_be_recorded_is_cut_off(
    trades: Database, tmp_path: Path
) -> None:
    heard: list[QueryRecorded] = []

    def once(read: QueryRecorded) -> None:
        if heard:
            raise Unreachable("nobody there any more")
        heard.append(read)

    with (
        served(trades, tmp_path / "tokens.json", publish=once) as api,
        pytest.raises(requests.exceptions.ChunkedEncodingError),
    ):
        api.ask(ALL, Role.COMPLIANCE)
    assert [read.outcome for read in heard] == ["export_begun"]


def test_a_log_that_is_away_refuses_within_its_bound(stack: Any) -> None:
    log = fresh_log(stack)
    codec = Codec(log.registry_url)
    nowhere = EventProducer(log.model_copy(update={"kafka": f"127.0.0.1:{free_port()}"}), codec)
    with pytest.raises(Retryable, match="not every event was confirmed"):
        ReadLog(nowhere, Topics.of(log)).publish(story.read())


def test_reads_are_rows_of_the_audit_and_a_report(stack: Any, tmp_path: Path) -> None:
    tokens_file = tmp_path / "tokens.json"
    token = new_token()
    add_token(tokens_file, entry_of(token, "cora", Role.COMPLIANCE, story.BEGIN.date(), None))
    with audit_of(fresh_log(stack), stack.addresses.postgres_dsn) as audit:
        audit.send(story.placed_story())
        auditor = audit.start(API_TOKENS_FILE=str(tokens_file)).wait_ready()
        audit.wait_audited()

        def ask(path: str, accept: str = "*/*") -> requests.Response:
            headers = {"Authorization": f"Bearer {token}", "Accept": accept}
            return requests.get(f"{auditor.url}{path}", headers=headers, timeout=120)

        assert ask("/reports/executed?symbol=AAPL").status_code == 200
        assert ask("/reports/executed?all=true", "text/csv").status_code == 200
        assert ask("/reports/decision/nobody").status_code == 404
        audit.wait_audited()
        rows = audit.rows(
            "SELECT report, outcome, rows, rows_expected, arguments->>'symbol' FROM report_reads "
            "WHERE request_id NOT LIKE 'request-%%' ORDER BY read_at"
        )
        assert rows == [
            ("executed", "answered", 2, None, "AAPL"),
            ("executed", "export_complete", 2, 2, None),
            ("decision", "nothing_recorded", 0, None, None),
        ]
        told = ask("/reports/reads?reader=cora&limit=2").json()
        assert [read["report"] for read in told["reads"]] == ["decision", "executed"]
        ran = audit.report("reads", "--reader", "cora", "--format", "json")
        assert ran.returncode == 0, ran.stderr
        # The story has two reads of its own, and asking for reads was one more.
        assert json.loads(ran.stdout)["totals"]["reads"] >= 5
        table = audit.report("reads", "--outcome", "export_cut_off")
        assert "3000 of 5000 rows as csv" in table.stdout
        page = ask("/reports/reads?reader=&outcome=nothing_recorded", "text/html").text
        assert "nothing recorded" in page
        assert "script" not in page
    assert token not in "".join(str(row) for row in told["reads"])


def test_while_the_broker_is_stopped_nothing_is_told_and_after_it_everything(
    stack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A broker of its own, whatever servers the other tests share.
    monkeypatch.delenv("TRADETRAIL_KAFKA", raising=False)
    tokens_file = tmp_path / "tokens.json"
    tokens = {Role.COMPLIANCE: new_token(), Role.VIEWER: new_token()}
    for role, token in tokens.items():
        add_token(tokens_file, entry_of(token, role.value, role, story.BEGIN.date(), None))
    decision = story.an_id("d", "d1")
    refused = [
        *("/", "/reports/executed?symbol=AAPL", "/reports/executed?all=true"),
        *(f"/reports/decision/{decision}", "/reports/decision/nobody"),
    ]
    with LocalStack(tmp_path / "broker", parts=("kafka",)) as own:
        log = fresh_log(
            SimpleNamespace(addresses=replace(stack.addresses, kafka=own.addresses.kafka))
        )
        with audit_of(log, stack.addresses.postgres_dsn) as audit:
            audit.send(story.placed_story())
            auditor = audit.start(API_TOKENS_FILE=str(tokens_file)).wait_ready()
            audit.wait_audited()

            def ask(path: str, role: Role = Role.COMPLIANCE) -> requests.Response:
                headers = {"Authorization": f"Bearer {tokens[role]}"}
                return requests.get(f"{auditor.url}{path}", headers=headers, timeout=120)

            before = ask(f"/reports/decision/{decision}")
            assert before.status_code == 200
            own.stop_part("kafka")
            with ThreadPoolExecutor(len(refused)) as clients:
                answers = list(clients.map(ask, refused))
            for answer in answers:
                assert "can be recorded" in is_problem(answer, 503)["detail"]
                assert answer.headers["Retry-After"]
                assert "Link" not in answer.headers
                assert "AAPL" not in answer.text
            assert ask("/reports/executed", Role.VIEWER).status_code == 200
            own.restart_part("kafka")
            again = eventually(
                lambda: ask(f"/reports/decision/{decision}"),
                lambda answer: answer.status_code == 200,
                within_s=180.0,
            )
            assert again.text == before.text
            export = ask("/reports/executed?all=true")
            assert export.status_code == 200
            audit.wait_audited()
            found = audit.rows("SELECT request_id, outcome FROM report_reads")
    # A refused one may be recorded all the same: that it was not confirmed is all that is known of it.
    for answer, outcome in ((before, "answered"), (again, "answered"), (export, "export_complete")):
        assert found.count((answer.headers["X-Request-Id"], outcome)) == 1
