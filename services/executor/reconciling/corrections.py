"""Fills that the broker takes back or corrects: told of as loudly as can be, since the log's fills never change."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from decimal import Decimal
from typing import Any

import structlog

from services.executor import metrics
from services.executor.broker.trading_api import parse_order
from services.executor.following.stream import Correction
from services.executor.following.troubles import Troubles
from services.executor.reconciling.discovered import discovered
from services.executor.reconciling.discoveries import Discoveries, Finding
from services.executor.recording.desk import Desk
from services.executor.state.book import Execution
from services.executor.state.statuses import TERMINAL
from tradetrail.ids import derive_id

# Corrections known by their ids, so that a repetition is not told again.
CORRECTIONS_MAX = 1_000

log = structlog.get_logger(__name__)


class Corrections:
    """Takes corrections in. All use from one thread."""

    def __init__(self, desk: Desk, discoveries: Discoveries, troubles: Troubles) -> None:
        """Enter into the outbox of ``desk``; what is recorded is folded into ``discoveries``."""
        self._desk = desk
        self._discoveries = discoveries
        self._troubles = troubles
        self._told: OrderedDict[str, None] = OrderedDict()

    def take(self, correction: Correction) -> None:
        """Log it; note trouble with an order of ours; record it as discovered once that order is over."""
        desk, order_id = self._desk, correction.order_id
        each_id = str(
            derive_id("trade-correction", desk.events.account, order_id, correction.message)
        )
        if each_id in self._told:
            return
        self._told[each_id] = None
        while len(self._told) > CORRECTIONS_MAX:
            self._told.popitem(last=False)
        metrics.CORRECTIONS.inc()
        executions = desk.book.executions.values()
        execution = next((e for e in executions if e.broker_order_id == order_id), None)
        text = (
            f"{correction.word}: the broker took a fill back or corrected it; the log keeps what it was told, and cash "
            "and position at the broker may differ from it. Compare the order with the broker's statement, and tell "
            "compliance"
        )
        log.critical(
            text,
            broker_order_id=order_id,
            symbol=execution.symbol if execution else None,
            execution_id=execution.execution_id if execution else None,
            message=correction.message[:2_000],
        )
        if execution is None:
            return
        self._troubles.correct(execution, text)
        if execution.status in TERMINAL:
            self._enter(each_id, correction, execution, text)

    def _enter(
        self, event_id: str, correction: Correction, execution: Execution, text: str
    ) -> None:
        desk = self._desk
        try:
            told: dict[str, Any] = json.loads(correction.message, parse_float=Decimal)
            order = parse_order(told["data"]["order"], correction.message)
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            log.warning("a correction can't be recorded", error=repr(error))
            return
        desk.outbox.make_room(execution.decision_id)
        event = discovered(desk.events, desk.book, Finding(order, text, execution), desk.now())
        event = replace(event, event_id=event_id, side=execution.side, quantity=execution.quantity)
        desk.outbox.put(desk.on_symbol(execution.symbol, event), execution.decision_id)
        self._discoveries.fold(event)
