"""docs/strategies.md: its settings are the real ones, its words are known, and its example runs.

``TRADETRAIL_WRITE_DOCS=1`` writes the tables of settings.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.decider import catalogue, strategies
from services.decider.signals.jurisdictions import COMMITTEE_SECTORS
from services.decider.signals.signal import Strategy
from services.decider.strategies.congressional import CongressionalSettings
from services.decider.strategies.insider import InsiderSettings
from tests.unit.decider_views import all_of, lot, member_trade, rationale_bytes, view
from tests.unit.test_decider_properties import ALLOWED
from tradetrail.events.generated import DeclineReason, Side

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"
DECIDER_PAGE = PAGE.with_name("decider.md")
TABLES: dict[str, type[Any]] = {
    "congressional": CongressionalSettings,
    "insider": InsiderSettings,
}


def shown(default: object) -> object:
    # A whole table of its own is not a cell of another.
    return "see above" if isinstance(default, dict) else default


def table(kind: type[Any]) -> str:
    rows = ["| setting | default | what |", "| --- | --- | --- |"]
    rows += [
        f"| `{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in kind.model_fields.items()
    ]
    return "\n".join(rows)


@pytest.mark.parametrize("name", TABLES)
def test_the_settings_on_the_page_are_the_real_ones(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(f"<!-- settings of {name} -->\n")
    written, after = rest.split("<!-- end -->", 1)
    if os.environ.get("TRADETRAIL_WRITE_DOCS"):
        whole = f"{before}<!-- settings of {name} -->\n{table(TABLES[name])}\n<!-- end -->{after}"
        PAGE.write_text(whole, encoding="utf-8")
    else:
        assert written.strip() == table(TABLES[name]), "write it: TRADETRAIL_WRITE_DOCS=1"


def test_the_pages_name_every_strategy_with_its_version_and_every_reason() -> None:
    page, decider = PAGE.read_text(encoding="utf-8"), DECIDER_PAGE.read_text(encoding="utf-8")
    for kind in catalogue.available().values():
        assert f"## {kind.name} {kind.version}\n" in page
        assert f"`{next(iter(kind.data_sources))}`" in page
    for reason in DeclineReason:
        if reason is not DeclineReason.UNRECOGNISED:
            assert f"`{reason.value}`" in decider


def test_the_committees_on_the_page_are_the_default_ones() -> None:
    page = PAGE.read_text(encoding="utf-8").split("<!-- committees -->")[1].split("<!-- end -->")[0]
    cells = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    told = {row[0].strip("| `"): tuple(row[2].split(", ")) for row in cells}
    assert told == COMMITTEE_SECTORS


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Put the page's example where strategies are, and return its source."""
    source = PAGE.read_text(encoding="utf-8").split("<!-- example -->\n```python\n")[1]
    source = source.split("\n```\n")[0] + "\n"
    (tmp_path / "crowd.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(strategies, "__path__", [*strategies.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    catalogue.available.cache_clear()
    yield source
    sys.modules.pop("services.decider.strategies.crowd", None)
    catalogue.available.cache_clear()


def test_the_example_runs_as_one_new_file(example: str) -> None:
    assert "CrowdStrategy" in catalogue.available()
    (crowd,) = catalogue.strategies_named(["CrowdStrategy"])
    assert_decides(crowd)
    imports = [node for node in ast.walk(ast.parse(example)) if isinstance(node, ast.ImportFrom)]
    assert {node.module for node in imports} <= ALLOWED


def assert_decides(crowd: Strategy) -> None:
    three = [lot(1, "DOE JANE"), lot(2, "ROE RICHARD"), member_trade(3, "Ann")]
    signal = crowd.evaluate(view(*three), all_of(three))
    assert (signal.side, signal.strength, signal.decline) == (Side.BUY, Decimal(3), None)
    assert crowd.evaluate(view(*three[:2]), all_of(three)).decline is DeclineReason.BELOW_THRESHOLD
    assert rationale_bytes(crowd, view(*three), all_of(three))


def test_the_examples_settings_come_from_the_environment(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADETRAIL_CROWD_PEOPLE_MIN", "4")
    (crowd,) = catalogue.strategies_named(["CrowdStrategy"])
    assert crowd.configuration()["people_min"] == 4
