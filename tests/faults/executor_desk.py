"""The desk of the executor's campaign: a lane's brokers, what a broker may do, and an executor's environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.alpaca_client import Alpaca, server_factory
from tests.contract.alpaca_server import KEYS
from tests.faults.executor_script import GROUPS, Script
from tests.faults.nursery import Nursery
from tests.faults.plain_log import Place
from tests.faults.processes import Tally, clean_environment
from tradetrail.log.codec import Codec
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack


@dataclass
class Lane:
    """Where one round at a time is done; ``open_account`` starts a simulated broker of a round's own."""

    stack: LocalStack
    nursery: Nursery
    home: Path
    codec: Codec
    tally: Tally
    open_account: Callable[..., Alpaca]


@contextmanager
def lane(stack: LocalStack, born_in: Nursery, home: Path, tally: Tally) -> Iterator[Lane]:
    """Make a lane; its brokers end with it."""
    with server_factory() as start:
        yield Lane(stack, born_in, home, Codec(stack.addresses.registry_url), tally, start)


def environment(
    log: SharedSettings, alpaca: Alpaca, url: str, name: str, script: Script, die_at: str
) -> dict[str, str]:
    """Return what an executor is started with; ``url`` is where it finds the broker, if not at its own address."""
    return {
        **clean_environment(),
        "TRADETRAIL_KAFKA": log.kafka,
        "TRADETRAIL_REGISTRY_URL": log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": log.topic_prefix,
        "TRADETRAIL_SYMBOL_GROUPS": json.dumps([group.model_dump() for group in GROUPS]),
        "TRADETRAIL_CLOCK_URL": f"{alpaca.url}/control/clock",
        "TRADETRAIL_ALPACA_URL": url,
        "TRADETRAIL_ALPACA_DATA_URL": url,
        "TRADETRAIL_ALPACA_STREAM_URL": url.replace("http://", "ws://") + "/stream",
        "TRADETRAIL_ALPACA_KEY_ID": KEYS.key_id,
        "TRADETRAIL_ALPACA_SECRET_KEY": KEYS.secret_key,
        "TRADETRAIL_INSTANCE": name,
        **{f"TRADETRAIL_EXECUTOR_{key}": value for key, value in script.settings.items()},
        "TRADETRAIL_EXECUTOR_DIE_AT": die_at,
    }


def places(log: SharedSettings) -> list[Place]:
    """Return where decisions, what became of them, and who acts are told."""
    topics = Topics.of(log)
    wanted = {*topics.trade(), topics.account}
    return [(s.name, n) for s in topics.specs() if s.name in wanted for n in range(s.partitions)]


_POST: dict[str, Any] = {"method": "POST", "path": "/v2/orders"}
_LOOKUP: dict[str, Any] = {"method": "GET", "path": "/v2/orders:by_client_order_id"}
_ANY: dict[str, Any] = {"path": "/v2/*"}
# What a broker may do, each a list of faults armed together. ``{n}`` in a round: how often, which of the orders.
TROUBLE: dict[str, list[dict[str, Any]]] = {
    "504-after": [{"kind": "status", "status": 504, "when": "after", "body": "html", **_POST}],
    "504-before": [{"kind": "status", "status": 504, "body": "html", **_POST}],
    "500-after": [{"kind": "status", "status": 500, "when": "after", **_POST}],
    "html-200": [{"kind": "status", "status": 200, "when": "after", "body": "html", **_POST}],
    "empty-200": [{"kind": "status", "status": 200, "when": "after", "body": "empty", **_POST}],
    "html-404": [{"kind": "status", "status": 404, "body": "html", **_ANY}],
    "lost-answer": [{"kind": "drop", **_POST}],
    "lost-request": [{"kind": "drop", "when": "before", **_POST}],
    "half-answer": [{"kind": "truncate", **_POST}],
    "cut-answer": [{"kind": "truncate", "cut": True, **_POST}],
    "cut-any-answer": [{"kind": "truncate", "cut": True, **_ANY}],
    "half-any-answer": [{"kind": "truncate", **_ANY}],
    "429-order": [{"kind": "status", "status": 429, **_POST}],
    "429-any": [{"kind": "status", "status": 429, **_ANY}],
    "503-any": [{"kind": "status", "status": 503, **_ANY}],
    "slow-answer": [{"kind": "latency", "latency_ms": 900, "when": "after", **_POST}],
    "slow-any": [{"kind": "latency", "latency_ms": 300, **_ANY}],
    "too-slow": [{"kind": "latency", "latency_ms": 3_500, "when": "after", **_POST}],
    "late": [{"kind": "late", "delay_ms": 500, **_POST}],
    "very-late": [{"kind": "late", "delay_ms": 2_500, "answer": "drop", **_POST}],
    "hidden": [
        {"kind": "drop", **_POST},
        {"kind": "hide_order_lookups", "until_cleared": True},
    ],
    "hidden-shortly": [
        {"kind": "drop", **_POST},
        {"kind": "hide_order_lookups", "count": 3},
    ],
    "lookup-troubled": [
        {"kind": "drop", **_POST},
        {"kind": "status", "status": 502, "body": "html", "probability": 0.5, **_LOOKUP},
    ],
    "422-other": [{"kind": "status", "status": 422, "message": "qty must be > 0", **_POST}],
    "403-order": [{"kind": "status", "status": 403, "message": "forbidden.", **_POST}],
    "rejected-later": [{"kind": "reject"}],
    "partial": [{"kind": "partial_fill", "fractions": ["0.3", "0.2"]}],
    "partial-held": [{"kind": "partial_fill", "rest": "hold"}],
    "partial-cancelled": [{"kind": "partial_fill", "rest": "cancel"}],
    "partial-and-lost": [{"kind": "partial_fill", "rest": "hold"}, {"kind": "drop", **_POST}],
    "pending-cancel": [{"kind": "pending_cancel"}],
    "stream-dropped": [{"kind": "stream_drop"}],
    "stream-aborted": [{"kind": "stream_drop", "abort": True}],
    "stream-mute": [{"kind": "stream_mute"}],
    "stream-repeats": [{"kind": "stream_repeat", "until_cleared": True}],
    "stream-refused": [
        {"kind": "stream_refuse", "count": 3},
        {"kind": "stream_drop", "abort": True},
    ],
}
# The broker denies orders it has, or is about to have.
HIDING = frozenset({"late", "very-late", "hidden", "hidden-shortly"})
# Told at once or of the stream; and not meant for the n-th of several orders.
_NOT_COUNTED = (
    "stream_drop",
    "stream_mute",
    "stream_repeat",
    "stream_refuse",
    "hide_order_lookups",
)


def is_counted(fault: dict[str, Any]) -> bool:
    """Tell whether a fault may strike several times, or a later one."""
    return fault["kind"] not in _NOT_COUNTED and "probability" not in fault
