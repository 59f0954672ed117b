"""What the API says of itself is true: every route, each example against a real answer, whatever is asked.

``TRADETRAIL_WRITE_DOCS=1`` writes the examples anew.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.auditor.api.openapi import EXAMPLES, shortened
from services.auditor.api.reports.reads import report_name
from tests import auditor_story as story
from tests.integration.api_server import Served, served
from tests.integration.audit_schema import entries_of, fresh_schema, write
from tests.integration.trade_rows import Database
from tests.oversight_story import told

pytestmark = pytest.mark.stack

ASKED = {
    "{symbol}": "AAPL",
    "{decision_id}": story.an_id("d", "twice"),
    "{topic}": "megacap",
    "{partition}": "0",
    "{offset}": "0",
}
EXAMPLES_MAX = 12


@pytest.fixture(scope="module")
def oversight(stack: Any) -> Iterator[Database]:
    """Return a schema that holds what needs a person's eye, and with it something for every report."""
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn) as (name, _):
        write(dsn, name, entries_of(told()))
        yield Database(dsn, name)


@pytest.fixture(scope="module")
def api(oversight: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an API with tokens over it, that anyone may ask as often as they like."""
    tokens_file = tmp_path_factory.mktemp("tokens") / "tokens.json"
    with served(oversight, tokens_file, api_rate_per_s=0) as api:
        yield api


@pytest.fixture(scope="module")
def description(api: Served) -> dict[str, Any]:
    """Return what the API says of itself."""
    answer = api.ask("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def columns(answer: Any) -> Any:
    """Return the keys of an answer, of its parts and of its rows."""
    names = {}
    for name, value in answer.items():
        first = value[0] if isinstance(value, list) and value else value
        names[name] = sorted(first) if isinstance(first, dict) else None
    return names


def reports(api: Served) -> list[str]:
    """Return the paths of all reports, by the routes: the description can't be had before there are examples."""
    routes = [route for route in api.app.routes if isinstance(route, APIRoute)]
    told = [
        route.path for route in routes if route.include_in_schema and "GET" in (route.methods or ())
    ]
    return [path for path in told if path not in ("/health", "/metrics")]


def test_every_example_has_the_keys_of_a_real_answer(api: Served) -> None:
    wrong, known = [], set()
    for path in reports(api):
        url = path
        for name, value in ASKED.items():
            url = url.replace(name, value)
        answer = api.ask(url, "viewer", headers={"Accept": "application/json"})
        assert answer.status_code == 200, (path, answer.text)
        real, file = shortened(answer.json()), EXAMPLES / f"{report_name(path)}.json"
        known.add(file.name)
        if os.environ.get("TRADETRAIL_WRITE_DOCS"):
            file.write_text(json.dumps(real, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        elif columns(json.loads(file.read_text(encoding="utf-8"))) != columns(real):
            wrong.append(path)
    assert not wrong, "write their examples anew: TRADETRAIL_WRITE_DOCS=1"
    assert {file.name for file in EXAMPLES.iterdir()} == known


def test_every_route_is_told_with_its_parameters_answers_and_problems(
    description: dict[str, Any],
) -> None:
    operations = [
        (path, operation)
        for path, methods in description["paths"].items()
        for operation in methods.values()
    ]
    assert len(operations) > 12
    for path, operation in operations:
        assert operation["summary"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter["name"])
        for status, response in operation["responses"].items():
            assert response["description"], (path, status)
            for kind, content in response.get("content", {}).items():
                assert content["schema"], (path, status, kind)
    assert description["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# The same questions at every run; one in four without a token.
bounded = settings(
    max_examples=EXAMPLES_MAX,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TOKENS = ["viewer", "viewer", "viewer", ""]


def test_whatever_is_asked_the_answer_is_one_that_was_told(api: Served) -> None:
    described = schemathesis.openapi.from_url(f"{api.url}/openapi.json")
    found: Any = described.include(method="GET").get_all_operations()
    operations = [each.ok() for each in found]
    assert len(operations) > 12
    statuses = set(itertools.chain(*(statuses_of(api, operation) for operation in operations)))
    # The questions were worth asking: some were answered, some refused.
    assert statuses >= {200, 400, 401, 404, 422}


def statuses_of(api: Served, operation: Any) -> set[int]:
    """Ask an operation all manner of things, also such as its description rules out; return what statuses came.

    Fails at an answer that the description does not tell.
    """
    seen, cases = set(), operation.as_strategy()
    if operation.definition.raw.get("parameters"):
        cases |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @bounded
    @given(case=cases, token=st.sampled_from(TOKENS))
    def ask(case: Any, token: str) -> None:
        headers = {"Authorization": f"Bearer {api.tokens[token]}"} if token else {}
        answer = case.call(base_url=api.url, headers=headers)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    ask()
    return seen
