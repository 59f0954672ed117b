"""Orders whose intents are committed go out: each on a lane, with its ticket, its outcome entered when it comes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from services.executor.broker.looking import Heard, Posted, post
from services.executor.broker.ticket import LiveTicket
from services.executor.broker.trading_api import Broker
from services.executor.recording.desk import Desk
from services.executor.state.book import Execution
from tradetrail.errors import Fatal


def free_for_orders(desk: Desk) -> int:
    """Return how many orders may be posted now.

    One lane is left to look-ups, follow-up and contexts: orders without an answer never hold all. So is what the
    account's rate limit keeps for them. While the broker is away, one order at a time finds out whether it still is.
    """
    if not desk.pace.is_open:
        return 0
    spare = 1 if desk.lanes.count > 1 else 0
    free = max(0, desk.lanes.free - spare)
    room = desk.pace.room(desk.lanes.count - desk.lanes.free)
    if room is not None:
        free = min(free, room)
    return min(free, 1) if desk.pace.is_trying else free


def post_all(desk: Desk, orders: Sequence[tuple[Execution, LiveTicket]]) -> None:
    """Begin the POST of each order, in order. There must be lanes for all of them."""
    desk.crash.passing("after_intent")
    for index, (execution, ticket) in enumerate(orders):
        if index == 1:
            desk.crash.passing("between_posts")
        begun = desk.lanes.ask(
            execution.execution_id,
            partial(_post, execution=execution, ticket=ticket, heard=desk.heard),
            partial(_ended, desk, execution),
        )
        if not begun:
            raise Fatal(
                f"no lane for execution {execution.execution_id}, whose intent is committed; restart this process: it "
                "will look the order up"
            )


def _post(broker: Broker, *, execution: Execution, ticket: LiveTicket, heard: Heard) -> Posted:
    return post(
        broker,
        lambda b: b.submit(ticket, execution.request, execution.replaces),
        execution,
        heard,
    )


def _ended(desk: Desk, execution: Execution, posted: Posted) -> None:
    desk.crash.passing("after_post")
    desk.enter_outcome(execution, posted)
