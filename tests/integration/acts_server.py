"""Serves acts over real HTTP on a real log, and reads what they put into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from services.auditor.api.acts.threads import ActThreads
from tests.eventually import eventually
from tests.integration.api_server import Served, served
from tests.integration.trade_rows import Database
from tradetrail.acts.log import Log
from tradetrail.events.generated import OperatorActed
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.reader import read_all
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings


@dataclass(frozen=True)
class ActsServer:
    """An API that takes acts, and its log."""

    api: Served
    log: SharedSettings

    def post(
        self, path: str, body: Any, key: str = "", token: str = "operator", **asked: Any
    ) -> requests.Response:
        """Ask for an act; ``wait_s`` 0 unless told."""
        headers = {"Idempotency-Key": key} if key else {}
        params = {"wait_s": asked.pop("wait_s", 0)}
        return self.api.ask(
            f"/acts/{path}",
            token,
            method="POST",
            json=body,
            params=params,
            headers=headers | asked.pop("headers", {}),
            **asked,
        )

    def answered(self, path: str, body: Any, key: str) -> requests.Response:
        """Ask for an act until somebody has answered it."""
        return eventually(
            lambda: self.post(path, body, key, wait_s=10), lambda answer: answer.status_code != 202
        )

    def acts(self, key: str | None = None) -> list[OperatorActed]:
        """Return every act that the log holds; under one key, where told."""
        codec, topics = Codec(self.log.registry_url), Topics.of(self.log)
        found = []
        for message in read_all(self.log, [*topics.trade(), topics.control]):
            try:
                event = codec.decode(message.value).event
            except BadEvent:
                continue
            if isinstance(event, OperatorActed) and key in (None, event.idempotency_key):
                found.append(event)
        return found


@contextmanager
def acts_served(
    log: SharedSettings, database: Database, tokens_file: Path | None
) -> Iterator[ActsServer]:
    """Serve the API with acts that go into ``log``; its tokens are named as their roles."""
    codec, stamp = Codec(log.registry_url), Stamp("auditor", log.instance)
    threads = ActThreads(Log(log, codec, Topics.of(log), stamp))
    try:
        with served(database, tokens_file, acts=threads) as api:
            yield ActsServer(api, log)
    finally:
        threads.close()
