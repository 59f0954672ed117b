"""How Postgres finds a report's rows: the plan of each of its queries, and which partitions of ``events`` they read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.reports_asked import Asked, Connection

_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of one report's queries, in the order in which they were asked."""

    name: str
    plans: list[dict[str, Any]]

    @property
    def partitions(self) -> set[str]:
        """Return the partitions of ``events`` that were looked into."""
        return {
            node["Relation Name"]
            for plan in self.plans
            for node in _nodes(plan["Plan"])
            if node.get("Relation Name", "").startswith("events_") and node["Actual Loops"]
        }

    @property
    def buffers(self) -> int:
        """Return how many pages were looked at."""
        return sum(
            plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
            for plan in self.plans
        )


class _Listening(psycopg.Cursor[Any]):
    """A cursor that tells what it was asked."""

    heard: list[tuple[Any, Any]]

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        self.heard.append((query, params))
        return super().execute(query, params, **more)

    def stream(self, query: Any, params: Any = None, **more: Any) -> Any:
        self.heard.append((query, params))
        return super().stream(query, params, **more)


def planned(connection: Connection, question: Asked) -> Planned:
    """Answer a question and return the plans of its queries."""
    heard: list[tuple[Any, Any]] = []
    usual = connection.cursor_factory
    connection.cursor_factory = type("_Heard", (_Listening,), {"heard": heard})
    try:
        question.answer(connection)
    finally:
        connection.cursor_factory = usual
    plans = []
    for query, arguments in heard:
        if "set_config" in str(query):
            continue
        found = connection.execute(sql.SQL(_EXPLAIN + str(query)), arguments).fetchone()  # type: ignore[arg-type]
        plans.append({"Query": str(query), **found[0][0]} if found else {})
    return Planned(question.name, plans)


def keep(found: Planned, folder: Path) -> None:
    """Write the plans of a report into a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.plans, indent=1, default=str)
    (folder / f"{found.name}.json").write_text(text, encoding="utf-8")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
