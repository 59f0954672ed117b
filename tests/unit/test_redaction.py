"""A remembered secret is hidden in whatever text it turns up, in every form it is commonly written in."""

from __future__ import annotations

import base64
import json
import logging
import threading
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from tradetrail import redaction
from tradetrail.calls import call_events, joined_body
from tradetrail.events.generated import CallPurpose
from tradetrail.log.configuration import Stamp
from tradetrail.redaction import (
    STARS,
    hidden,
    hidden_body,
    hidden_everywhere,
    holds_secret,
    remember,
    remember_address,
)
from tradetrail.settings import SharedSettings, load
from tradetrail.telemetry import configure_logging

CANARY = 'canary/+"5f&1='


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", ())


@pytest.mark.parametrize(
    "written",
    [
        CANARY,
        quote(CANARY, safe=""),
        quote(CANARY, safe="").lower(),
        json.dumps(CANARY)[1:-1],
        base64.b64encode(CANARY.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(written: str) -> None:
    remember(CANARY)
    assert hidden(f"Bearer {written}, and more") == f"Bearer {STARS}, and more"
    body, count = hidden_body(b"\xff" + written.encode() + b"\x00" + written.encode())
    assert (body, count) == (b"\xff" + STARS.encode() + b"\x00" + STARS.encode(), 2)


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("https://ann:canary-word@host/path", "canary-word"),
        ("https://ann:canary%2Fword@host/path", "canary/word"),
        ("https://canary-key-alone@host", "canary-key-alone"),
        ("ann:canary-word@host:80", "canary-word"),
        ("postgresql://u:canary@w/rd@h:1/d", "canary@w/rd"),
        ("host=h user=u password=canary-word dbname=d", "canary-word"),
        ("host=h password='canary word' dbname=d", "canary word"),
        ("postgresql:///d?password=canary-word&host=/tmp", "canary-word"),
    ],
)
def test_the_password_of_an_address_is_hidden_elsewhere_too(address: str, secret: str) -> None:
    remember_address(address)
    assert hidden(f"no such user, or {secret} is wrong") == f"no such user, or {STARS} is wrong"


@pytest.mark.parametrize(
    "address", ["postgresql://postgres@h/d", "postgresql://tradetrail:tradetrail@h/d"]
)
def test_the_name_of_a_user_is_no_secret(address: str) -> None:
    remember_address(address)
    assert hidden("tradetrail and postgres") == "tradetrail and postgres"


def test_what_is_too_short_is_left_alone() -> None:
    remember("", "a", "1234567")
    assert hidden("a 1234567") == "a 1234567"


def test_a_secret_within_another_goes_with_it() -> None:
    remember("canary-one", "canary-one-and-more")
    assert hidden("canary-one-and-more canary-one") == f"{STARS} {STARS}"


def test_texts_at_any_depth_are_hidden_and_bytes_stay() -> None:
    remember("canary-one")
    found = hidden_everywhere({"a": [("x canary-one",)], "b": b"canary-one", "c": 7})
    assert found == {"a": [[f"x {STARS}"]], "b": b"canary-one", "c": 7}
    assert holds_secret(b"..canary-one..")


def test_loading_settings_makes_their_secrets_known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyed(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="KEYED_")
        key: SecretStr = SecretStr("")
        url: str = ""

    monkeypatch.setenv("KEYED_KEY", "canary-key==")
    monkeypatch.setenv("KEYED_URL", "http://u:canary-word@h")
    load(Keyed)
    assert hidden("canary-key== canary-word") == f"{STARS} {STARS}"


def test_a_body_that_echoes_a_secret_is_kept_without_it_and_says_so() -> None:
    remember("canary-key")
    received = b'{"detail": "Bearer canary-key is unknown"}' * 9
    (event,) = call_events(
        Stamp("ingestor", "test"),
        datetime(2024, 1, 2, tzinfo=UTC),
        call_id="c",
        purpose=CallPurpose.DISCLOSURES,
        vendor="quiverquant",
        method="GET",
        endpoint="/beta/canary-key",
        request={"query": {"page": "canary-key"}},
        status_code=500,
        error="about canary-key",
        body=received,
        records_returned=None,
        rate_limit_remaining=None,
        duration_us=1,
        vendor_request_id="canary-key",
    )
    assert joined_body([event]) == received.replace(b"canary-key", STARS.encode())
    assert (event.body_redactions, event.response_size_bytes) == (9, len(received))
    texts = (event.endpoint, event.request, event.error, event.vendor_request_id)
    assert not any("canary-key" in (text or "") for text in texts)


def test_a_body_without_a_secret_is_kept_byte_for_byte() -> None:
    remember("canary-key")
    assert hidden_body(b"\xff\xfe canary-ke") == (b"\xff\xfe canary-ke", 0)


def test_logs_of_libraries_and_of_ended_threads_are_hidden(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remember("canary-key")
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    configure_logging(SharedSettings())
    record = logging.LogRecord("urllib3", logging.WARNING, "", 0, "got %s", ("canary-key",), None)
    assert logging.lastResort is not None
    logging.lastResort.handle(record)

    def fail() -> None:
        raise ValueError("about canary-key")

    thread = threading.Thread(target=fail, name="failing")
    thread.start()
    thread.join()
    said = capfd.readouterr().err
    assert "canary-key" not in said
    assert "urllib3" in said
    assert "failing" in said
