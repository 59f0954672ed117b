"""Generate ``tradetrail/events/generated.py`` from ``schemas/*.avsc``.

The schemas are the only definition of the wire format; this file makes their typed side, never the reverse.
``--check`` fails when the committed file is not what the schemas give.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "schemas"
TARGET = ROOT / "tradetrail" / "events" / "generated.py"

_PRIMITIVES = {
    "string": "str",
    "int": "int",
    "long": "int",
    "boolean": "bool",
    "bytes": "bytes",
    "null": "None",
}
_LOGICAL = {"decimal": "Decimal", "timestamp-micros": "datetime", "date": "date"}
_HEADER = '''"""Typed events, generated from schemas/*.avsc by tools/generate_events.py: do not edit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

'''


def annotation(schema: Any) -> str:
    """Return the Python annotation of an Avro type."""
    if isinstance(schema, str):
        return _PRIMITIVES.get(schema, schema.rsplit(".", 1)[-1])
    if isinstance(schema, list):
        return " | ".join(sorted((annotation(s) for s in schema), key=lambda a: a == "None"))
    if "logicalType" in schema:
        return _LOGICAL[schema["logicalType"]]
    if schema["type"] == "array":
        return f"tuple[{annotation(schema['items'])}, ...]"
    if schema["type"] == "map":
        return f"dict[str, {annotation(schema['values'])}]"
    if schema["type"] in ("record", "enum"):
        return str(schema["name"].rsplit(".", 1)[-1])
    return _PRIMITIVES[schema["type"]]


def named_types(schema: Any, found: dict[str, dict[str, Any]]) -> None:
    """Collect records and enums, inner ones first; raise if one name has two definitions."""
    if isinstance(schema, list):
        for branch in schema:
            named_types(branch, found)
    if not isinstance(schema, dict):
        return
    for inner in ("items", "values"):
        named_types(schema.get(inner), found)
    for each in schema.get("fields", ()):
        named_types(each["type"], found)
    if schema["type"] in ("record", "enum"):
        name = schema["name"].rsplit(".", 1)[-1]
        if found.setdefault(name, schema) != schema and schema["type"] == "enum":
            raise SystemExit(f"schemas disagree about enum {name}: give both the same symbols")


def render_enum(name: str, schema: dict[str, Any]) -> str:
    """Return the class of an enum."""
    lines = [f"class {name}(StrEnum):", f'    """{schema["doc"]}"""', ""]
    lines += [f"    {symbol.upper()} = {json.dumps(symbol)}" for symbol in schema["symbols"]]
    return "\n".join(lines)


def render_record(name: str, schema: dict[str, Any], *, event: bool) -> str:
    """Return the frozen, slotted dataclass of a record; field docs become attribute docstrings."""
    lines = ["@dataclass(frozen=True, slots=True, kw_only=True)", f"class {name}:"]
    lines += [f'    """{schema["doc"]}"""', ""]
    if event:
        lines += [f'    TYPE: ClassVar[str] = "{schema["namespace"]}.{name}"', ""]
    for each in schema["fields"]:
        line = f"    {each['name']}: {annotation(each['type'])}"
        if "default" in each:
            default = {"[]": "()", "{}": "field(default_factory=dict)", "null": "None", "0": "0"}
            line += f" = {default[json.dumps(each['default'])]}"
        lines += [line, f'    """{each["doc"]}"""']
    return "\n".join(lines)


def generate() -> str:
    """Return the text of the generated module."""
    found: dict[str, dict[str, Any]] = {}
    events = {}
    for path in sorted(SCHEMAS.glob("*.avsc")):
        events[path.stem] = json.loads(path.read_text())
        named_types(events[path.stem], found)
    blocks = [
        render_enum(name, schema)
        if schema["type"] == "enum"
        else render_record(name, schema, event=name in events)
        for name, schema in found.items()
    ]
    catalogue = "\n".join(f"    {name}.TYPE: {name}," for name in events)
    blocks.append(f"Event = {' | '.join(events)}")
    blocks.append(
        f"CATALOGUE: dict[str, type[Event]] = {{\n{catalogue}\n}}\n"
        '"""Every event type of the log, by its full name."""'
    )
    return _HEADER + "\n\n\n".join(blocks) + "\n"


def formatted(text: str) -> str:
    """Return ``text`` as ruff would format it."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "100", "-"]
    result = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, timeout=60
    )
    return result.stdout


def main() -> int:
    """Write the generated module, or with --check compare it; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the file is stale")
    text = formatted(generate())
    if parser.parse_args().check:
        if TARGET.exists() and TARGET.read_text() == text:
            return 0
        print(f"{TARGET} is stale: run `make events` and commit the result", file=sys.stderr)
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
