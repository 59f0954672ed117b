"""docs/executor.md shows the tables of the code; ``UPDATE_DOCS=1`` writes them anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

from services.executor.crash import STEPS
from services.executor.settings import ExecutorSettings
from services.executor.statuses import DECISION_OF, TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "executor.md"


def _tables() -> dict[str, str]:
    transitions = ["| status | may become |", "| --- | --- |"]
    for status, following in TRANSITIONS.items():
        names = ", ".join(s.value for s in TRANSITIONS if s in following)
        transitions.append(f"| {status.value} | {names or 'nothing: terminal'} |")
    decisions = ["| execution | decision |", "| --- | --- |"]
    decisions += [f"| {s.value} | {d.value} |" for s, d in DECISION_OF.items()]
    settings = ["| setting | default | what |", "| --- | --- | --- |"]
    for name, info in ExecutorSettings.model_fields.items():
        default = "" if info.default in ("", ()) else str(info.default)
        settings.append(f"| {name.upper()} | {default} | {info.description} |")
    return {
        "transitions": "\n" + "\n".join(transitions) + "\n",
        "decisions": "\n" + "\n".join(decisions) + "\n",
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
