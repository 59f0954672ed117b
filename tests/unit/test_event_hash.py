"""The hashed bytes of an event are decided once: these vectors must never change."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from tradetrail.log.event_hash import event_hash
from tradetrail.log.reader import Received

AT = datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def received(**changes: object) -> Received:
    fields: dict[str, object] = {
        "topic": "trade.default",
        "partition": 3,
        "offset": 42,
        "key": b"AAPL",
        "value": b"\x00\x00\x00\x00\x01body",
        "appended_at": AT,
    }
    return Received(**(fields | changes))  # type: ignore[arg-type]


def test_the_documented_bytes_are_what_is_hashed() -> None:
    def number(value: int) -> bytes:
        return value.to_bytes(8, "big", signed=True)

    def text(value: bytes) -> bytes:
        return number(len(value)) + value

    millis = 1577934245678
    expected = hashlib.sha256(
        text(b"tradetrail.event.1")
        + text(b"trade.default")
        + number(3)
        + number(42)
        + number(millis)
        + text(b"AAPL")
        + text(b"\x00\x00\x00\x00\x01body")
    )
    assert event_hash(received()) == expected.digest()


@pytest.mark.parametrize(
    ("changes", "digest"),
    [
        ({}, "84f295b84f1a657dac69b208d71044a544f0efa7b0f7bd384f31c86c5c8077a9"),
        ({"key": None}, "b887c94a289cdc31823e4137ddc929c31ad0e93986fa7b7a9c8919d17d620670"),
        ({"value": None}, "1fcfd3ec4204548c2c439ef710b2797edca4753f3337537f79fd555e477535c5"),
        (
            {"key": b"", "value": b""},
            "d6173edfc232f64162504ea0cd8136aa47174c3b964b474c474e7476a6452696",
        ),
        (
            {"topic": "défaut", "partition": 0, "offset": 0},
            "e877901a4bd2940d33a219fa512f61d7d2c7c9207b3d3b4c58fc026ab1954a59",
        ),
    ],
)
def test_vectors(changes: dict[str, object], digest: str) -> None:
    assert event_hash(received(**changes)).hex() == digest


def test_borders_between_key_and_value_cannot_shift() -> None:
    one = event_hash(received(key=b"AA", value=b"PLbody"))
    other = event_hash(received(key=b"AAPL", value=b"body"))
    assert one != other
    assert event_hash(received(key=None)) != event_hash(received(key=b""))
