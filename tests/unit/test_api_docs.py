"""docs/api.md: its settings are the real ones. ``TRADETRAIL_WRITE_DOCS=1`` writes their table."""

from __future__ import annotations

import os
from pathlib import Path

from services.auditor.api.settings import ApiSettings
from tradetrail.tokens import Role

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BEGIN, END = "<!-- settings -->\n", "<!-- end -->"


def table() -> str:
    rows = ["| setting | default | what |", "| --- | --- | --- |"]
    for name, field in ApiSettings.model_fields.items():
        default = "" if field.default in ("", ()) else str(field.default).lower()
        rows.append(f"| `TRADETRAIL_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def test_the_settings_on_the_page_are_the_real_ones() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    written, after = rest.split(END, 1)
    if os.environ.get("TRADETRAIL_WRITE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")
    else:
        assert written == table(), "write it: TRADETRAIL_WRITE_DOCS=1"


def test_every_role_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for role in Role:
        assert f"| `{role}` |" in page
