"""Released versions of strategies: all to be had, and none answers otherwise than when it was released."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from services.decider.catalogue import available, released, versions
from services.decider.strategies.released import congressional_1_0_0
from tests.unit.strategy_vectors import FOLDER, answer, cases, main, path_of, read, write
from tradetrail.errors import UsageError

CONGRESS, INSIDER = "CongressionalTradingStrategy", "CorporateInsiderStrategy"
VERSIONS = sorted(versions())
EACH = pytest.mark.parametrize(("name", "version"), VERSIONS, ids=["-".join(v) for v in VERSIONS])


def test_present_and_earlier_versions_are_to_be_had() -> None:
    assert VERSIONS == [(CONGRESS, "1.0.0"), (CONGRESS, "1.1.0"), (INSIDER, "1.0.0")]
    for kind in available().values():
        assert released(kind.name, kind.version) is kind
    assert released(CONGRESS, "1.0.0") is congressional_1_0_0.CongressionalTradingStrategy
    assert available()[CONGRESS].version == "1.1.0", "the service runs the newest"


def test_an_unknown_version_or_strategy_is_told_with_those_there_are() -> None:
    with pytest.raises(
        UsageError, match=r"no CongressionalTradingStrategy 9\.9\.9.*1\.0\.0, 1\.1\.0"
    ):
        released(CONGRESS, "9.9.9")
    with pytest.raises(UsageError, match=f"no strategy Guess.*{CONGRESS}, {INSIDER}"):
        released("Guess", "1.0.0")


@EACH
def test_a_version_answers_as_it_was_released(name: str, version: str) -> None:
    """It fails for a changed version: undo the change, or give it a new number and keep the old one (docs)."""
    kind, recorded = released(name, version), list(read(path_of(name, version)))
    assert len(recorded) >= 30
    for number, (case, signal) in enumerate(recorded, start=1):
        assert answer(kind, case) == signal, f"{path_of(name, version).name}, line {number}"


@EACH
def test_what_is_recorded_reaches_every_way_a_signal_can_go(name: str, version: str) -> None:
    signals = [json.loads(signal) for _, signal in read(path_of(name, version))]
    told = Counter(signal["decline"] for signal in signals)
    assert {
        *(None, "no_signal", "already_acted", "conflicting_signals", "below_threshold"),
    } <= set(told)
    assert {signal["side"] for signal in signals if not signal["decline"]} == {"buy", "sell"}
    has_facts = any(signal["facts"] for signal in signals)
    assert has_facts is ((name, version) == (CONGRESS, "1.1.0"))


def test_every_record_belongs_to_a_version() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        path_of(name, version).name for name, version in VERSIONS
    }


def test_a_changed_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(congressional_1_0_0, "_HALF", congressional_1_0_0._ONE)
    kind = released(CONGRESS, "1.0.0")
    recorded = read(path_of(CONGRESS, "1.0.0"))
    assert any(answer(kind, case) != signal for case, signal in recorded)


def test_a_new_version_is_recorded_once_and_never_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.jsonl"
    assert write(INSIDER, "1.0.0", path) == len(cases(released(INSIDER, "1.0.0")))
    assert all(answer(released(INSIDER, "1.0.0"), case) == signal for case, signal in read(path))
    before = path_of(CONGRESS, "1.1.0").read_bytes()
    assert main([CONGRESS, "1.1.0"]) == 2
    assert main([CONGRESS, "7.0.0"]) == 2
    assert main([CONGRESS]) == 2
    said = capsys.readouterr().err
    assert "never changes" in said
    assert "1.0.0, 1.1.0" in said
    assert path_of(CONGRESS, "1.1.0").read_bytes() == before
