"""How many orders one executor sends a second from a backlog, and how many the broker takes from a bare loop."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import requests

from benchmarks.execute_rig import broker, decisions, executor, send, symbols_of
from benchmarks.log_rig import KEYS, Heard, new_log
from benchmarks.parts import Say
from tradetrail.errors import Fatal
from tradetrail.events.generated import OrderBlocked, OrderStatus, OrderSubmitting, OrderUpdated

SYMBOLS = 500
_ORDER_MAX_S = 120.0
_ANSWER_MAX_S = 30.0
_HEARD = (OrderBlocked, OrderSubmitting, OrderUpdated)


def throughput(
    kafka: str,
    registry_url: str,
    count: int,
    say: Say,
    latency_ms: int,
    symbol_count: int = SYMBOLS,
) -> dict[str, Any]:
    """Return how fast one executor sends ``count`` decisions over many symbols, also against a bare loop."""
    settings = new_log(kafka, registry_url)
    heard = Heard(settings, *(each.TYPE for each in _HEARD))
    send(settings, decisions("backlog", symbols_of(symbol_count), count))
    say(f"a backlog of {count} decisions at {latency_ms} ms")
    with ExitStack() as cleanup:
        at = cleanup.enter_context(broker(symbol_count, latency_ms))
        cleanup.enter_context(executor(settings, at))
        bodies, answered_at = _answers(heard, count)
        told, arrivals = at.told("requests"), at.arrivals()
    heard.close()
    if len(arrivals) != count:
        raise Fatal(f"{count} decisions came to {len(arrivals)} orders")
    came_s = [each["monotonic_ns"] / 1e9 for each in arrivals.values()]
    began = min(came_s)
    connections = len({each["connection"] for each in arrivals.values()})
    say(f"the same orders from a bare loop over {connections} connections")
    bare_s = _bare_s(bodies, symbol_count, latency_ms, connections)
    suffix = f"at_{latency_ms}ms"
    orders_per_s = count / (answered_at - began)
    asked: Counter[str] = Counter()
    for name, times in told["requests"].items():
        asked[re.sub("/positions/.*", "/positions/{symbol}", name.replace("/v2", ""))] += times
    return {
        f"orders_per_s_{suffix}": round(orders_per_s, 1),
        f"posts_per_s_{suffix}": round((count - 1) / (max(came_s) - began), 1),
        f"orders_ratio_to_limit_{suffix}": round(orders_per_s * bare_s / count, 3),
        f"order_connections_{suffix}": connections,
        f"requests_per_order_{suffix}": {k: round(v / count, 2) for k, v in asked.items()},
        f"order_backlog_{suffix}": count,
        f"order_symbols_{suffix}": symbol_count,
    }


def _answers(heard: Heard, count: int) -> tuple[list[str], float]:
    """Return the bodies of all orders, and when the last of them was answered in the log (``time.perf_counter``)."""
    bodies: dict[str, str] = {}
    answered: set[str] = set()
    while len(answered) < count:
        here, _, decoded = heard.next(_ORDER_MAX_S)
        event = decoded.event
        if isinstance(event, OrderSubmitting):
            bodies[event.client_order_id] = event.request
        elif isinstance(event, OrderUpdated) and event.status is not OrderStatus.SUBMITTING:
            if event.status in (OrderStatus.REJECTED, OrderStatus.ERROR, OrderStatus.UNKNOWN):
                raise Fatal(f"an order was not taken: {event}")
            answered.add(event.client_order_id)
        elif isinstance(event, OrderBlocked):
            raise Fatal(f"an order was blocked: {event}")
    return list(bodies.values()), here


def _bare_s(bodies: Sequence[str], symbol_count: int, latency_ms: int, connections: int) -> float:
    """Return the seconds in which a fresh broker takes the same orders, sent with no more than an HTTP client."""
    with broker(symbol_count, latency_ms) as at, ThreadPoolExecutor(connections) as pool:
        url = f"{at.url}/v2/orders"

        def post_all(mine: Sequence[str]) -> None:
            with requests.Session() as session:
                session.headers.update(
                    {"APCA-API-KEY-ID": KEYS["KEY_ID"], "APCA-API-SECRET-KEY": KEYS["SECRET_KEY"]}
                )
                for body in mine:
                    answer = session.post(url, json=json.loads(body), timeout=_ANSWER_MAX_S)
                    answer.raise_for_status()

        began = time.perf_counter()
        for done in [pool.submit(post_all, bodies[n::connections]) for n in range(connections)]:
            done.result()
        return time.perf_counter() - began
