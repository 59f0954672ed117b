"""The simulator put together: endpoints over one catalogue, behind the front door, with the control endpoint."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from simulators.quiverquant.answers import NOT_FOUND_HTML, Refusal, html_answer, json_answer
from simulators.quiverquant.catalogue import Catalogue
from simulators.quiverquant.committees import committee_routes
from simulators.quiverquant.congress import congress_routes
from simulators.quiverquant.control import control_routes
from simulators.quiverquant.edge import Account, FrontDoor
from simulators.quiverquant.insiders import insider_routes
from simulators.quiverquant.sectors import sector_routes


def build_application(catalogue: Catalogue, account: Account) -> FastAPI:
    """Return the ASGI application of one simulator."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(congress_routes(catalogue))
    app.include_router(insider_routes(catalogue))
    app.include_router(committee_routes(catalogue))
    app.include_router(sector_routes(catalogue))
    app.include_router(control_routes(catalogue, account))

    async def refused(request: Request, error: Any) -> Response:
        return json_answer(error.body, error.status, error.headers)

    async def failed(request: Request, error: Any) -> Response:
        if error.status_code == 404:
            return html_answer(NOT_FOUND_HTML, 404)
        detail = f'Method "{request.method}" not allowed.'
        return json_answer({"detail": detail}, error.status_code, error.headers)

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, failed)
    app.add_middleware(FrontDoor, account=account)
    return app
