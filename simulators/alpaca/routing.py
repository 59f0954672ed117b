"""Routes to endpoints that name what they want: the request, parts of the path, or fields of the query, as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from inspect import signature

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[..., Awaitable[Response]]


def routes(prefix: str, table: Iterable[tuple[str, str, Endpoint]]) -> list[Route]:
    """Return routes for (method, path below ``prefix``, endpoint); what a query leaves out keeps its default."""
    return [_route(method, prefix + path, endpoint) for method, path, endpoint in table]


def _route(method: str, path: str, endpoint: Endpoint) -> Route:
    wanted = frozenset(signature(endpoint).parameters)

    async def respond(request: Request) -> Response:
        given = dict[str, object](request=request) if "request" in wanted else {}
        if len(given) < len(wanted):
            texts = {**request.query_params, **request.path_params}
            given |= {name: texts[name] for name in wanted & texts.keys()}
        return await endpoint(**given)

    return Route(path, respond, methods=[method])
