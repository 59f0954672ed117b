"""What was sent to the broker and what came back. A decision and its orders share their symbol's partition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import Said, content, known, shape, sparse
from services.auditor.projections.decisions import status
from services.auditor.rows import POSITION, Change
from services.auditor.tables.trading import (
    ALPACA_ORDERS,
    EXECUTION,
    EXECUTION_FILL,
    EXECUTION_STATUS,
    ORDER_FOUND,
    ORDER_STATUS,
    RISK_CHECKS,
    TRADE_EXECUTION_HISTORY,
    TRADE_EXECUTIONS,
)
from tradetrail.reports.encode import to_json

_HISTORY = TRADE_EXECUTION_HISTORY.groups[0]
_execution = shape(
    TRADE_EXECUTIONS,
    EXECUTION,
    trade_decision_id="decision_id",
    submitted_at="occurred_at",
    created_at="occurred_at",
)
_execution_status = shape(
    TRADE_EXECUTIONS,
    EXECUTION_STATUS,
    alpaca_order_id="broker_order_id",
    api_response="raw_response",
    error_details="failure_reason",
    filled_quantity="filled_qty_total",
    status_at="reached_at",
    updated_at="occurred_at",
    status_offset="offset",
)
_fill = shape(TRADE_EXECUTIONS, EXECUTION_FILL, filled_at="reached_at", fill_offset="offset")
_history = shape(
    TRADE_EXECUTION_HISTORY,
    _HISTORY,
    history_id="event_id",
    filled_quantity="filled_qty_total",
    fill_quantity="fill_qty",
    api_response="raw_response",
)
_order_status = shape(
    ALPACA_ORDERS,
    ORDER_STATUS,
    alpaca_order_id="broker_order_id",
    trade_decision_id="decision_id",
    filled_quantity="filled_qty_total",
    updated_at="occurred_at",
    status_offset="offset",
)
_discovered = shape(
    ALPACA_ORDERS,
    ORDER_FOUND,
    alpaca_order_id="broker_order_id",
    discovered_side="side",
    discovered_quantity="quantity",
    discovered_status="broker_status",
    discovered_filled_quantity="filled_qty_total",
    discovered_filled_avg_price="filled_avg_price",
    discovered_client_order_id="client_order_id",
    discovered_symbol="symbol",
    discovered_account="account",
    discovered_at="occurred_at",
    discovered_decision_id="decision_id",
    discovered_execution_id="execution_id",
    discovered_explanation="explanation",
)
_risk_check = shape(
    RISK_CHECKS,
    RISK_CHECKS.groups[0],
    check_event_id="event_id",
    trade_decision_id="decision_id",
    limit_value="limit",
    observed_value="observed",
    checked_at="occurred_at",
)
# What the checks of one event share.
_OF_CHECKS = (*POSITION, "decision_id", "attempt_number", "occurred_at")


def submitting(entry: Entry) -> Iterator[Change]:
    """Project OrderSubmitting: the execution before it is sent; its decision is executing."""
    order = content(entry)
    sent_at = order["occurred_at"]
    order["configuration_hash"] = known(order["configuration_hash"])
    order["api_request"] = _request(order)
    yield _execution(order)
    reached = {
        "execution_id": order["execution_id"],
        "status": "submitting",
        "status_at": sent_at,
        "updated_at": sent_at,
        "status_offset": order["offset"],
    }
    yield sparse(TRADE_EXECUTIONS, EXECUTION_STATUS, reached)
    history = {
        name: order[name] for name in ("execution_id", "attempt_number", "occurred_at", *POSITION)
    }
    history |= {
        "history_id": order["event_id"],
        "status": "submitting",
        "decision_status": "executing",
        "source": "executor",
    }
    yield sparse(TRADE_EXECUTION_HISTORY, _HISTORY, history)
    yield status(order, "executing", order["attempt_number"])
    yield from _risk_checks(order, order["execution_id"])


def updated(entry: Entry) -> Iterator[Change]:
    """Project OrderUpdated: newest state of execution, order and decision, and one line of history."""
    update = content(entry)
    reached_at = update["reached_at"] = update["broker_at"] or update["occurred_at"]
    update["raw_response"] = json_text(update["raw_response"])
    update["rejected_at"] = reached_at if update["status"] == "rejected" else None
    yield _execution_status(update)
    if update["fill_qty"]:
        yield _fill(update)
    yield _history(update)
    if update["broker_order_id"]:
        yield _order_status(update)
    yield _decision_status(update)


def blocked(entry: Entry) -> Iterator[Change]:
    """Project OrderBlocked: nothing was sent, the decision failed."""
    block = content(entry)
    block["configuration_hash"] = known(block["configuration_hash"])
    yield status(
        block,
        "failed",
        block["attempt_number"],
        failed_at=block["occurred_at"],
        failure_reason="blocked",
        failure_control=block["control"],
        failure_message=block["explanation"],
    )
    yield from _risk_checks(block, None)


def discovered(entry: Entry) -> Iterator[Change]:
    """Project BrokerOrderDiscovered: an order the log did not make, or one of ours that it lacked."""
    yield _discovered(content(entry))


def _request(order: Said) -> str:
    head = to_json(
        {
            "endpoint": order["endpoint"],
            "method": order["method"],
            "timestamp": order["occurred_at"],
        }
    )
    return f'{head[:-1]},"payload":{json_text(order["request"])}}}'


def _decision_status(update: Said) -> Change:
    name = update["decision_status"]
    more: dict[str, Any] = {}
    if name in ("executed", "failed", "cancelled"):
        more[f"{name}_at"] = update["reached_at"]
    if name in ("failed", "cancelled"):
        more["failure_reason"] = update["failure_reason"]
        more["failure_message"] = update["error_message"]
    return status(update, name, update["attempt_number"], **more)


def _risk_checks(order: Said, execution_id: str | None) -> Iterator[Change]:
    shared = {name: order[name] for name in _OF_CHECKS}
    shared["execution_id"] = execution_id
    shared["configuration_hash"] = order["configuration_hash"]
    shared["api_call_ids"] = to_json(order["api_call_ids"])
    for number, check in enumerate(order["risk_checks"]):
        yield _risk_check(check | shared | {"check_number": number})
