"""Serves the auditor's API over real HTTP on a schema of the test's own, without a log behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import requests

from services.auditor.api.acts.threads import ActThreads
from services.auditor.api.app import AuditApi
from services.auditor.api.entrance.identities import identities_of
from services.auditor.api.entrance.limits import Limits
from services.auditor.api.reports.answers import Answers
from services.auditor.api.reports.exports import Exports
from services.auditor.api.reports.reads import Publish, Reads
from services.auditor.api.server import Server
from services.auditor.api.settings import ApiSettings
from services.auditor.progress import Progress
from tests.eventually import eventually
from tests.integration.trade_rows import Database
from tradetrail.clock import SystemClock
from tradetrail.events.generated import QueryRecorded
from tradetrail.log.stamp import Stamp
from tradetrail.reports.connection import ReaderPool, open_reader
from tradetrail.tokens import Role, add_token, entry_of, new_token

TIMEOUT_S = 60
EXPORTS_MAX = 1
PAGE = "text/html"


@dataclass
class Served:
    """A running API, and the tokens that were made for it."""

    url: str
    app: Any
    tokens_file: Path | None
    tokens: dict[str, str] = field(default_factory=dict)
    reads: list[QueryRecorded] = field(default_factory=list)
    """Reads that were to be recorded, in order."""
    address: str = ""
    """Where requests seem to come from; needs an API that believes this machine as a proxy."""

    def ask(
        self, path: str, token: str = "", *, method: str = "GET", **more: Any
    ) -> requests.Response:
        """Ask for ``path`` with the token of that name, with none, or with what is no token's name as it is."""
        headers = self.heard_from() | more.pop("headers", {})
        if token:
            headers = {"Authorization": f"Bearer {self.tokens.get(token, token)}"} | headers
        return requests.request(
            method,
            f"{self.url}{path}",
            headers=headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
            **more,
        )

    def heard_from(self) -> dict[str, Any]:
        """Return the headers that say where a request comes from."""
        return {"X-Forwarded-For": self.address} if self.address else {}

    def make_token(self, name: str, role: Role, expires: date | None = None) -> str:
        """Make a token, as the command does."""
        assert self.tokens_file is not None
        token, today = new_token(), datetime.now(UTC).date()
        made_on = min(today, expires) if expires else today
        add_token(self.tokens_file, entry_of(token, name, role, made_on, expires))
        self.tokens[name] = token
        return token


@contextmanager
def served(
    database: Database,
    tokens_file: Path | None = None,
    acts: ActThreads | None = None,
    publish: Publish | None = None,
    **settings: Any,
) -> Iterator[Served]:
    """Serve the API on ``database``; with a tokens file, it has a token for each role, named as the role.

    ``publish`` puts reads into a log; without it they are only noted.
    """
    told = Served("", None, tokens_file)
    if tokens_file:
        for role in Role:
            told.make_token(role.value, role)
        settings["api_tokens_file"] = str(tokens_file)
    configured = ApiSettings(**settings)
    readers = ReaderPool(database.dsn, database.schema, "", 2)
    limits = Limits(configured.api_rate_per_s, configured.api_burst)
    reads = Reads(publish or told.reads.append, Stamp("auditor", "test"), SystemClock())
    exports = Exports(lambda: open_reader(database.dsn, database.schema), EXPORTS_MAX, reads)
    answers = Answers(readers, exports, reads)
    api = AuditApi(answers, Progress(), 60.0, identities_of(configured), limits, acts)
    told.app = api.app()
    server = Server(told.app, "127.0.0.1", 0, configured.api_proxies)
    server.start(api.access)
    told.url = f"http://127.0.0.1:{server.port}"
    try:
        eventually(lambda: _answers(told), within_s=TIMEOUT_S)
        yield told
    finally:
        server.close()
        readers.close()


def _answers(api: Served) -> bool:
    try:
        return bool(api.ask("/metrics"))
    except requests.ConnectionError:
        return False


def is_problem(answer: requests.Response, status: int) -> dict[str, Any]:
    """Return the problem that is answered; fails when it is none, or lacks a part."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem
