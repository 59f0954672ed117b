"""Acts of operators over HTTP: halt, resume, order, cancel, replace, resolve. Each goes through the log, once.

Who acts is whoever holds the token. Nothing is decided, sent or cancelled here: the decider and the executors answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Header, HTTPException, Path, Query, Request, Response

from services.auditor.api.access import Reader, Role, require
from services.auditor.api.acts.answers import (
    Told,
    told_of_halt,
    told_of_order,
    told_of_order_act,
)
from services.auditor.api.acts.asked import (
    ActRequest,
    CancelRequest,
    HaltRequest,
    OrderRequest,
    ReplaceRequest,
    ResolveRequest,
    ResumeRequest,
)
from services.auditor.api.acts.described import ANSWERS
from services.auditor.api.acts.threads import ActThreads, Flight, TooManyActs
from services.auditor.api.problems import Problem
from tradetrail import person
from tradetrail.acts import halts, order_acts, ordering
from tradetrail.acts.asking import InDoubt, KeyTaken, record
from tradetrail.acts.find_order import Found, find, find_recent
from tradetrail.acts.log import Log
from tradetrail.errors import (
    Fatal,
    NotRecorded,
    TradetrailError,
    Unreachable,
    UsageError,
)
from tradetrail.reports.connection import ReaderPool
from tradetrail.reports.encode import to_json
from tradetrail.reports.order_of_id import order_of_id

# Most clients wait 10 s or longer for an answer: what takes longer is told as recorded and not answered yet.
WAIT_S_MAX = 10.0
WAIT_S_DEFAULT = 8.0
# An answer that is late comes within seconds, as does a thread that is free.
_RETRY_AFTER_S = "2"

_AWAY = "The log does not answer. This request recorded nothing; send it again in a moment, with the same key."
_TOO_MANY = "Too many acts are under way. This request recorded nothing; send it again in a moment."
_IN_DOUBT = (
    "It is not known whether the log has this act. Send the same request again with the header Idempotency-Key: {key}; "
    "that tells, and never acts twice."
)

_OrderId = Annotated[
    str,
    Path(
        max_length=order_acts.ID_LENGTH_MAX,
        description="A decision, or one of its executions.",
        examples=["2455515a-0e24-597e-8c61-7cbce7773c86"],
    ),
]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, under which key by the header, and how long the answer is waited for."""

    name: str
    key: str | None
    wait_s: float

    def told(self, asked: ActRequest, *, needs_key: bool) -> person.Told:
        """Return who acts, why, and under which key. Raises UsageError for two keys, or none where one is needed."""
        key = self.key or asked.key
        if self.key and asked.key and self.key != asked.key:
            raise UsageError("the header Idempotency-Key and the key in the body differ: give one")
        if key is None and needs_key:
            raise UsageError(
                "an act on orders needs the header Idempotency-Key, made by you: should this answer be lost, the same "
                "request with the same key tells what came of it, and never acts twice"
            )
        return self.name, asked.why, key


def _acting(
    request: Request,
    reader: Annotated[Reader, Depends(require(Role.OPERATOR))],
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="The same key with the same words asks again and never acts twice. Needed for orders.",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        ),
    ] = None,
    wait_s: Annotated[
        float, Query(ge=0, le=WAIT_S_MAX, description="Seconds to wait for the answer.")
    ] = WAIT_S_DEFAULT,
) -> Acting:
    # A browser sends its cookie for whatever page asks it to; nobody but who knows the token sends this.
    if "authorization" not in request.headers:
        raise HTTPException(
            403,
            "Acts need the token itself, in the header Authorization: Bearer TOKEN; signing in is for reading.",
        )
    # Quotes are the header's own, where a client keeps to its draft standard.
    return Acting(reader.name, key.strip().strip('"') if key else None, wait_s)


_By = Annotated[Acting, Depends(_acting)]


class ActsApi:
    """The routes. Acts run on ``threads``; what an id stands for is looked up by ``readers`` first."""

    def __init__(self, threads: ActThreads, readers: ReaderPool) -> None:
        """Take what acts need."""
        self._threads = threads
        self._readers = readers

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        route = partial(app.post, status_code=201, responses=ANSWERS, response_class=Response)
        route("/acts/halt", summary="Send no more orders")(self.halt)
        route("/acts/resume", summary="Lift a halt, or all of them")(self.resume)
        route("/acts/orders", summary="Buy or sell by hand")(self.order)
        route("/acts/orders/{wanted}/cancel", summary="Cancel a decision or its order")(self.cancel)
        route("/acts/orders/{wanted}/replace", summary="Replace an open order")(self.replace)
        route("/acts/orders/{wanted}/resolve", summary="Settle an order of unknown fate")(
            self.resolve
        )

    async def halt(self, asked: HaltRequest, by: _By) -> Response:
        """Halt everything, a symbol or a strategy; answered when every executor has, at best."""
        return await self._halting(asked, by)

    async def resume(self, asked: ResumeRequest, by: _By) -> Response:
        """Lift one halt, or every one."""
        return await self._halting(asked, by)

    async def order(self, asked: OrderRequest, by: _By) -> Response:
        """Buy or sell: decided, checked and sent as any other decision; 409 with the reason when it is declined."""
        with _bad_input():
            wanted = asked.asked(by.told(asked, needs_key=True))

        def act(log: Log) -> Told:
            question = ordering.question(log, wanted)
            return told_of_order(wanted, record(log, question, by.wait_s))

        return await self._answer(Flight(wanted.decision_id, wanted.act_id), act, wanted.key)

    async def cancel(self, wanted: _OrderId, asked: CancelRequest, by: _By) -> Response:
        """Cancel what waits, or ask the broker to cancel what is open; a fill may win."""
        return await self._on_order(wanted, asked, by)

    async def replace(self, wanted: _OrderId, asked: ReplaceRequest, by: _By) -> Response:
        """Replace an open order by one of another size or limit; a fill of the old one may win."""
        return await self._on_order(wanted, asked, by)

    async def resolve(self, wanted: _OrderId, asked: ResolveRequest, by: _By) -> Response:
        """Say what became of an order that stays unknown; where the broker knows it, its word stands."""
        return await self._on_order(wanted, asked, by)

    async def _halting(self, asked: ResumeRequest, by: Acting) -> Response:
        with _bad_input():
            wanted = asked.asked(by.told(asked, needs_key=False))

        def act(log: Log) -> Told:
            return told_of_halt(wanted, halts.record(log, wanted, by.wait_s))

        flight = Flight(wanted.key, wanted.act_id, is_halt=True)
        return await self._answer(flight, act, wanted.key)

    async def _on_order(self, order_id: str, asked: CancelRequest, by: Acting) -> Response:
        with _bad_input():
            wanted = asked.asked(order_id, by.told(asked, needs_key=True))

        def act(log: Log) -> Told:
            about = order_acts.about(wanted, asked.symbol, partial(self._find, log))
            question = order_acts.question(log, about)
            return told_of_order_act(about, record(log, question, by.wait_s))

        flight = Flight(wanted.key, f"{wanted.act_id} {asked.symbol}")
        return await self._answer(flight, act, wanted.key)

    def _find(self, log: Log, wanted: str) -> Found:
        """Return what an id stands for: by the database, where the log holds only what came just now."""
        try:
            with self._readers.connection() as connection:
                known = order_of_id(connection, wanted)
        except (Unreachable, Fatal):
            return find(log, wanted)
        found = find_recent(log, wanted) if known is None else Found(*known)
        if found is None:
            raise NotRecorded(f"No decision or execution {wanted} is recorded; nothing was asked.")
        return found

    async def _answer(self, flight: Flight, act: Callable[[Log], Told], key: str) -> Response:
        try:
            told, is_shared = await self._threads.run(flight, act)
        except TradetrailError as error:
            raise _problem(error, key) from error
        content = told.content | {"repeated": told.is_repeated or is_shared}
        address = {"Location": content["look_at"]}
        if told.refusal is not None:
            raise Problem(409, told.refusal, address, {"recorded": "yes", **content})
        if told.is_awaited:
            return _json(202, content, address | {"Retry-After": _RETRY_AFTER_S})
        return _json(200 if content["repeated"] else 201, content, address)


@contextmanager
def _bad_input() -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise HTTPException(422, str(error)) from error


def _problem(error: TradetrailError, key: str) -> Problem:
    """Return what is told of an error; whether something may have been recorded is always said."""
    if isinstance(error, KeyTaken):
        return Problem(409, str(error), {}, {"recorded": "no", "key": key})
    if isinstance(error, NotRecorded):
        return Problem(404, str(error), {}, {"recorded": "no"})
    if isinstance(error, UsageError):
        return Problem(422, str(error), {}, {"recorded": "no"})
    log.warning("an act could not be taken", key=key, error=str(error))
    recorded, said = "no", _AWAY
    if isinstance(error, InDoubt):
        recorded, said = "unknown", _IN_DOUBT.format(key=key)
    elif isinstance(error, TooManyActs):
        said = _TOO_MANY
    return Problem(503, said, {"Retry-After": _RETRY_AFTER_S}, {"recorded": recorded, "key": key})


def _json(status: int, content: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(to_json(content), status, headers, "application/json")
