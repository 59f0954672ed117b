"""What the broker last said of the account, read from the recorded event: neither registry nor broker is asked."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import psycopg

from tradetrail.calls import joined_body
from tradetrail.events import from_datum
from tradetrail.events.generated import ApiCallRecorded
from tradetrail.log.stored_value import as_today
from tradetrail.reports.queries import rows

# Our key, and the broker's, of each number of the account.
NUMBERS = {
    "cash_usd": "cash",
    "buying_power_usd": "buying_power",
    "portfolio_value_usd": "portfolio_value",
}
_PLACE = ("api_call_id", "purpose", "told_at", "topic", "partition", "offset", "appended_at")


def account_answer(connection: psycopg.Connection[Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the newest answer's numbers (USD) with its place, and what is missing of it, in words.

    A number that is not to be had is null, never made up.
    """
    found = rows(connection, "portfolio_account")
    if not found:
        nothing = dict.fromkeys((*NUMBERS, *_PLACE))
        return nothing, ["broker: no answer of the broker about the account is recorded"]
    answer = found[0]
    told, missing = _numbers(answer)
    return {**told, **{name: answer[name] for name in _PLACE}}, missing


def _numbers(answer: dict[str, Any]) -> tuple[dict[str, Decimal | None], list[str]]:
    nothing: dict[str, Decimal | None] = dict.fromkeys(NUMBERS)
    try:
        body = json.loads(_body(answer), parse_float=Decimal)
        content = body if isinstance(body, dict) else {}
    except Exception as error:  # noqa: BLE001
        # Whatever is wrong with old bytes, the rest of the report stands.
        return nothing, [f"broker: the answer {answer['api_call_id']} can't be read: {error}"]
    told = {ours: _number(content.get(theirs)) for ours, theirs in NUMBERS.items()}
    return told, [
        f"broker.{ours}: the answer {answer['api_call_id']} has no number {NUMBERS[ours]!r}"
        for ours, value in told.items()
        if value is None
    ]


def _body(answer: dict[str, Any]) -> bytes:
    if answer["value"] is None or answer["schema"] is None:
        raise ValueError("its event or its schema is not in the database")
    if answer["chunk_count"] != 1:
        raise ValueError(f"it has {answer['chunk_count']} chunks; an account is small")
    datum = as_today(bytes(answer["value"]), answer["schema"], answer["type"])
    event = from_datum(answer["type"], datum)
    if not isinstance(event, ApiCallRecorded):
        raise ValueError(f"it is a {answer['type']}")
    body = joined_body([event])
    if body is None:
        raise ValueError("it has no body")
    return body


def _number(text: Any) -> Decimal | None:
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
