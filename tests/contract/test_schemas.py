"""The wire format may only grow: every released version reads every other, in both directions."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.schema import parse_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract import samples
from tests.unit.event_strategies import records_of
from tools import generate_events
from tradetrail.events import CATALOGUE, to_datum
from tradetrail.events.generated import DeclineReason, FailureReason
from tradetrail.events.schemas import (
    ENVELOPE_FIELD_COUNT,
    FOLDER,
    parsed_schema,
    schema_text,
)

RELEASED = FOLDER / "released"


def released_versions() -> dict[str, list[Path]]:
    versions: dict[str, list[Path]] = defaultdict(list)
    for path in RELEASED.glob("*.avsc"):
        versions[path.name.split(".")[0]].append(path)
    for paths in versions.values():
        paths.sort(key=lambda path: int(path.name.split(".")[1]))
    return versions


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


PAIRS = [
    (writer, reader)
    for paths in released_versions().values()
    for writer, reader in itertools.product(paths, paths)
]


@pytest.mark.parametrize("type_name", sorted(CATALOGUE))
def test_todays_schema_is_the_newest_released_one(type_name: str) -> None:
    newest = released_versions()[type_name.rsplit(".", 1)[-1]][-1]
    assert load(newest) == json.loads(schema_text(type_name)), (
        "a schema changed: keep the released file as it is and add the next number beside it"
    )


@pytest.mark.parametrize(("writer", "reader"), PAIRS, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_released_version_reads_each_other(
    writer: Path, reader: Path, data: st.DataObject
) -> None:
    type_name = f"tradetrail.events.{writer.name.split('.')[0]}"
    names = {field["name"] for field in load(writer)["fields"]}
    datum = to_datum(data.draw(records_of(CATALOGUE[type_name])))
    written = known_to(writer, {name: value for name, value in datum.items() if name in names})
    back = read_as(reader, writer, written)
    shared = names & set(back)
    expected = known_to(reader, written)
    assert {name: back[name] for name in shared} == {name: expected[name] for name in shared}


def read_as(reader: Path, writer: Path, datum: dict[str, Any]) -> dict[str, Any]:
    """Return what one version makes of what another wrote."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, parse_schema(load(writer)), datum)
    buffer.seek(0)
    back = fastavro.schemaless_reader(
        buffer, parse_schema(load(writer)), parse_schema(load(reader))
    )
    assert isinstance(back, dict)
    return back


def known_to(version: Path, datum: dict[str, Any]) -> dict[str, Any]:
    """Return ``datum`` with the default for each code that this version has no symbol for."""
    codes = {
        field["name"]: each
        for field in load(version)["fields"]
        for each in (field["type"] if isinstance(field["type"], list) else [field["type"]])
        if isinstance(each, dict) and each["type"] == "enum"
    }
    unknown = {
        name: code["default"]
        for name, code in codes.items()
        if datum.get(name) is not None and datum[name] not in code["symbols"]
    }
    return datum | unknown


def test_a_code_that_an_older_reader_lacks_reads_as_unrecognised() -> None:
    older, newer = RELEASED / "DecisionDeclined.2.avsc", RELEASED / "DecisionDeclined.3.avsc"
    datum = samples.sample_of(newer) | {"reason": DeclineReason.INVALID_ORDER.value}
    assert read_as(older, newer, datum)["reason"] == DeclineReason.UNRECOGNISED
    assert read_as(newer, newer, datum)["reason"] == DeclineReason.INVALID_ORDER


def test_a_code_that_may_be_left_out_reads_as_unrecognised_too() -> None:
    older, newer = RELEASED / "OrderUpdated.1.avsc", RELEASED / "OrderUpdated.2.avsc"
    datum = samples.sample_of(newer) | {"failure_reason": FailureReason.OPERATOR_CANCELLED.value}
    known = known_to(older, datum)
    assert known["failure_reason"] == FailureReason.UNRECOGNISED
    assert read_as(older, newer, datum)["failure_reason"] == FailureReason.UNRECOGNISED


RELEASES = [path for paths in released_versions().values() for path in paths]


@pytest.mark.parametrize("released", RELEASES, ids=lambda path: path.stem)
def test_a_sample_of_each_released_version_is_kept_and_still_reads_as_it_did(
    released: Path,
) -> None:
    kept = (samples.FOLDER / f"{released.stem}.bin").read_bytes()
    today = parsed_schema(f"tradetrail.events.{released.name.split('.')[0]}")
    back = fastavro.schemaless_reader(io.BytesIO(kept), parse_schema(load(released)), today)
    assert isinstance(back, dict)
    expected = samples.sample_of(released)
    assert {name: back[name] for name in expected} == expected
    assert samples.encoded(released) == kept, (
        "a released schema was changed: add the next version instead"
    )


@pytest.mark.parametrize("type_name", sorted(CATALOGUE))
def test_each_schema_begins_with_the_same_envelope(type_name: str) -> None:
    first = json.loads(schema_text(min(CATALOGUE)))["fields"][:ENVELOPE_FIELD_COUNT]
    assert json.loads(schema_text(type_name))["fields"][:ENVELOPE_FIELD_COUNT] == first


def inner_schemas(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [inner for branch in schema for inner in inner_schemas(branch)]
    if not isinstance(schema, dict):
        return []
    parts = [
        schema.get("items"),
        schema.get("values"),
        *(f["type"] for f in schema.get("fields", ())),
    ]
    return [schema, *(inner for part in parts for inner in inner_schemas(part))]


@pytest.mark.parametrize("type_name", sorted(CATALOGUE))
def test_enums_have_defaults_docs_are_complete_and_no_number_is_a_float(type_name: str) -> None:
    for schema in inner_schemas(json.loads(schema_text(type_name))):
        assert "float" not in json.dumps(schema["type"])
        assert "double" not in json.dumps(schema["type"])
        if schema["type"] == "enum":
            assert schema["default"] in schema["symbols"]
        for field in schema.get("fields", ()):
            assert field["doc"], f"{field['name']} says nothing of itself"
            assert not {"float", "double"} & set(re.findall(r"\w+", json.dumps(field["type"])))


def test_the_typed_events_are_what_the_schemas_give() -> None:
    assert (
        generate_events.formatted(generate_events.generate()) == generate_events.TARGET.read_text()
    )
