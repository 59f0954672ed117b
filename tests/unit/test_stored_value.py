"""An event's bytes by the schema kept with them: what was written comes out, and what is damaged is refused."""

from __future__ import annotations

import json

import pytest

from tests.contract import samples
from tradetrail.errors import Poison
from tradetrail.events.schemas import FOLDER, released_version
from tradetrail.log.stored_value import as_today, as_written

TYPE = "tradetrail.events.DecisionMade"
FIRST = FOLDER / "released" / "DecisionMade.1.avsc"
VALUE = bytes(5) + samples.encoded(FIRST)


def test_what_was_written_comes_out_and_nothing_else() -> None:
    assert as_written(VALUE, FIRST.read_text()) == samples.sample_of(FIRST)


def test_todays_fields_have_their_defaults() -> None:
    today = as_today(VALUE, FIRST.read_text(), TYPE)
    assert today["api_call_ids"] == []
    assert today["decision_id"] == samples.sample_of(FIRST)["decision_id"]


@pytest.mark.parametrize("value", [VALUE[:-1], VALUE + b"\0", b"", b"\0"], ids=len)
def test_bytes_that_are_not_one_record_are_refused(value: bytes) -> None:
    with pytest.raises(Poison):
        as_written(value, FIRST.read_text())


@pytest.mark.parametrize("text", ["", "{}", '"string"', "null"])
def test_a_schema_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(Poison):
        as_written(VALUE, text)


def test_a_schemas_text_tells_its_released_version_however_it_is_spelled() -> None:
    spelled = json.dumps(json.loads(FIRST.read_text()), indent=7)
    assert released_version(TYPE, spelled) == 1
    assert released_version(TYPE, FIRST.with_name("DecisionMade.2.avsc").read_text()) == 2
    assert released_version(TYPE, FIRST.with_name("DecisionDeclined.1.avsc").read_text()) is None
    assert released_version("tradetrail.events.Unheard", FIRST.read_text()) is None
    assert released_version(TYPE, "no JSON") is None
