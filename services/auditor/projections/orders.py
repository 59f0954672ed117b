"""What was sent to the broker and what came back. A decision and its orders share their symbol's partition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, known, pick
from services.auditor.projections.decisions import status
from services.auditor.rows import Change, Values
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
from tradetrail.reports.encode import instant, to_json


def submitting(entry: Entry) -> Iterator[Change]:
    """Project OrderSubmitting: the execution before it is sent; its decision is executing."""
    order = content(entry)
    values = pick(
        order,
        *("execution_id", "attempt_number", "client_order_id", "account", "symbol", "side"),
        *("quantity", "order_type", "limit_price", "time_in_force", "previous_execution_id"),
    )
    sent_at = order["occurred_at"]
    values |= {
        "trade_decision_id": order["decision_id"],
        "configuration_hash": known(order["configuration_hash"]),
        "api_request": _request(order),
        "submitted_at": sent_at,
        "created_at": sent_at,
    }
    yield Change(TRADE_EXECUTIONS, EXECUTION, values | entry.position())
    reached = {
        "execution_id": order["execution_id"],
        "status": "submitting",
        "status_at": sent_at,
        "updated_at": sent_at,
        "status_offset": entry.message.offset,
    }
    yield Change(TRADE_EXECUTIONS, EXECUTION_STATUS, reached)
    history = pick(order, "execution_id", "attempt_number", "occurred_at")
    history |= {"status": "submitting", "decision_status": "executing", "source": "executor"}
    yield _history(entry, history)
    yield status(entry, order["decision_id"], "executing", order["attempt_number"])
    yield from _risk_checks(entry, order, order["execution_id"])


def updated(entry: Entry) -> Iterator[Change]:
    """Project OrderUpdated: newest state of execution, order and decision, and one line of history."""
    update = content(entry)
    reached_at = update["broker_at"] or update["occurred_at"]
    yield _execution_status(entry, update, reached_at)
    if update["fill_qty"]:
        fill = {"filled_at": reached_at, "fill_offset": entry.message.offset}
        fill["execution_id"] = update["execution_id"]
        yield Change(TRADE_EXECUTIONS, EXECUTION_FILL, fill)
    yield _history(entry, _history_values(update))
    if update["broker_order_id"]:
        yield _order_status(entry, update)
    yield _decision_status(entry, update, reached_at)


def blocked(entry: Entry) -> Iterator[Change]:
    """Project OrderBlocked: nothing was sent, the decision failed."""
    block = content(entry)
    yield status(
        entry,
        block["decision_id"],
        "failed",
        block["attempt_number"],
        failed_at=block["occurred_at"],
        failure_reason="blocked",
        failure_control=block["control"],
        failure_message=block["explanation"],
    )
    yield from _risk_checks(entry, block, None)


def discovered(entry: Entry) -> Iterator[Change]:
    """Project BrokerOrderDiscovered: an order the log did not make, or one of ours that it lacked."""
    order = content(entry)
    values = {
        "alpaca_order_id": order["broker_order_id"],
        "discovered_side": order["side"],
        "discovered_quantity": order["quantity"],
        "discovered_status": order["broker_status"],
        "discovered_filled_quantity": order["filled_qty_total"],
        "discovered_filled_avg_price": order["filled_avg_price"],
        "discovered_client_order_id": order["client_order_id"],
        "discovered_symbol": order["symbol"],
        "discovered_account": order["account"],
        "submitted_at": order["submitted_at"],
        "discovered_at": order["occurred_at"],
        "discovered_decision_id": order["decision_id"],
        "discovered_execution_id": order["execution_id"],
        "discovered_explanation": order["explanation"],
    }
    yield Change(ALPACA_ORDERS, ORDER_FOUND, values | entry.position())


def _request(order: dict[str, Any]) -> str:
    head = to_json(
        {
            "endpoint": order["endpoint"],
            "method": order["method"],
            "timestamp": instant(order["occurred_at"]),
        }
    )
    return f'{head[:-1]},"payload":{json_text(order["request"])}}}'


def _execution_status(entry: Entry, update: dict[str, Any], reached_at: Any) -> Change:
    rejected = update["status"] == "rejected"
    values: Values = pick(
        update, "execution_id", "status", "broker_status", "filled_avg_price", "commission"
    )
    values |= {
        "alpaca_order_id": update["broker_order_id"],
        "api_response": json_text(update["raw_response"]),
        "error_message": update["error_message"],
        "error_details": update["failure_reason"],
        "filled_quantity": update["filled_qty_total"],
        "rejected_at": reached_at if rejected else None,
        "status_at": reached_at,
        "updated_at": update["occurred_at"],
        "status_offset": entry.message.offset,
    }
    return Change(TRADE_EXECUTIONS, EXECUTION_STATUS, values)


def _history_values(update: dict[str, Any]) -> Values:
    values: Values = pick(
        update,
        *("execution_id", "attempt_number", "status", "decision_status", "source"),
        *("broker_status", "broker_at", "fill_price", "filled_avg_price", "commission"),
        *("failure_reason", "error_message", "api_call_id", "occurred_at"),
    )
    values["filled_quantity"] = update["filled_qty_total"]
    values["fill_quantity"] = update["fill_qty"]
    values["api_response"] = json_text(update["raw_response"])
    return values


def _history(entry: Entry, values: Values) -> Change:
    group = TRADE_EXECUTION_HISTORY.groups[0]
    identity = {"history_id": content(entry)["event_id"]}
    return Change(TRADE_EXECUTION_HISTORY, group, values | identity | entry.position())


def _order_status(entry: Entry, update: dict[str, Any]) -> Change:
    values: Values = pick(
        update,
        *("execution_id", "client_order_id", "account", "symbol", "status", "broker_status"),
        "filled_avg_price",
    )
    values |= {
        "alpaca_order_id": update["broker_order_id"],
        "trade_decision_id": update["decision_id"],
        "filled_quantity": update["filled_qty_total"],
        "updated_at": update["occurred_at"],
        "status_offset": entry.message.offset,
    }
    return Change(ALPACA_ORDERS, ORDER_STATUS, values)


def _decision_status(entry: Entry, update: dict[str, Any], reached_at: Any) -> Change:
    name = update["decision_status"]
    more: Values = {}
    if name in ("executed", "failed", "cancelled"):
        more[f"{name}_at"] = reached_at
    if name in ("failed", "cancelled"):
        more["failure_reason"] = update["failure_reason"]
        more["failure_message"] = update["error_message"]
    return status(entry, update["decision_id"], name, update["attempt_number"], **more)


def _risk_checks(entry: Entry, order: dict[str, Any], execution_id: str | None) -> Iterator[Change]:
    for number, check in enumerate(order["risk_checks"]):
        values: Values = pick(check, "control", "passed", "unit", "explanation")
        values |= {
            "check_event_id": order["event_id"],
            "check_number": number,
            "trade_decision_id": order["decision_id"],
            "attempt_number": order["attempt_number"],
            "execution_id": execution_id,
            "limit_value": check["limit"],
            "observed_value": check["observed"],
            "configuration_hash": known(order["configuration_hash"]),
            "checked_at": order["occurred_at"],
            "api_call_ids": to_json(order["api_call_ids"]),
        }
        yield Change(RISK_CHECKS, RISK_CHECKS.groups[0], values | entry.position())
