"""docs/executor.md shows the tables of the code; ``UPDATE_DOCS=1`` writes them anew."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from services.executor.controls.rules import RULES
from services.executor.crash import STEPS
from services.executor.settings import ExecutorSettings
from services.executor.state.statuses import (
    DECISION_TRANSITIONS,
    RETRIED,
    TRANSITIONS,
    decision_status,
)
from tradetrail.events.generated import FailureReason

PAGE = Path(__file__).parents[2] / "docs" / "executor.md"


Status = TypeVar("Status", bound=StrEnum)


def _table(transitions: Mapping[Status, frozenset[Status]]) -> str:
    lines = ["| status | may become |", "| --- | --- |"]
    for status, following in transitions.items():
        names = ", ".join(s.value for s in transitions if s in following)
        lines.append(f"| {status.value} | {names or 'nothing: terminal'} |")
    return "\n" + "\n".join(lines) + "\n"


def _diagram(transitions: Mapping[Status, frozenset[Status]]) -> str:
    """Return the table as a picture; what stays as it is is left out."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {next(iter(transitions)).value}"]
    for status, following in transitions.items():
        names = [s.value for s in transitions if s in following and s is not status]
        lines += [f"    {status.value} --> {name}" for name in names]
        if not following:
            lines.append(f"    {status.value} --> [*]")
    return "\n" + "\n".join([*lines, "```"]) + "\n"


def _controls() -> str:
    lines = ["| control | checks | setting | default | unit | at the limit |", "| --- " * 6 + "|"]
    for rule in RULES:
        names = "<br>".join(f"`{name.upper()}`" for name in rule.settings) or "`tradetrail halt`"
        fields = [ExecutorSettings.model_fields[name] for name in rule.settings]
        defaults = "<br>".join("none" if f.default == () else str(f.default) for f in fields)
        cells = (f"`{rule.control}`", rule.what, names, defaults, rule.unit, rule.at_the_limit)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n" + "\n".join(lines) + "\n"


def _tables() -> dict[str, str]:
    decisions = ["| execution | decision |", "| --- | --- |"]
    decisions += [
        f"| {status.value} | {decision_status([(status, None)]).value} |" for status in TRANSITIONS
    ]
    settings = ["| setting | default | what |", "| --- | --- | --- |"]
    for name, info in ExecutorSettings.model_fields.items():
        default = "" if info.default in ("", ()) else str(info.default)
        settings.append(f"| {name.upper()} | {default} | {info.description} |")
    return {
        "transitions": _table(TRANSITIONS),
        "transitions diagram": _diagram(TRANSITIONS),
        "decision transitions": _table(DECISION_TRANSITIONS),
        "decision transitions diagram": _diagram(DECISION_TRANSITIONS),
        "decisions": "\n" + "\n".join(decisions) + "\n",
        "retried": ", ".join(f"`{reason.value}`" for reason in FailureReason if reason in RETRIED),
        "controls": _controls(),
        "settings": "\n" + "\n".join(settings) + "\n",
        "steps": ", ".join(STEPS),
    }


def _filled(page: str) -> str:
    for name, table in _tables().items():
        block = f"<!-- {name} -->{table}<!-- end -->"
        pattern = rf"<!-- {name} -->(.*?<!-- end -->)?"
        if f"<!-- {name} -->" not in page:
            raise AssertionError(f"docs/executor.md has no place for {name}")
        page = re.sub(pattern, lambda _, block=block: block, page, count=1, flags=re.DOTALL)  # type: ignore[misc]
    return page


def test_the_page_shows_the_tables_of_the_code() -> None:
    page = PAGE.read_text()
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(_filled(page))
        return
    assert page == _filled(page), "run UPDATE_DOCS=1 pytest tests/unit/test_executor_docs.py"
