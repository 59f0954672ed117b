"""Settings from the environment: clear errors, no secret in what is shown or recorded, ids that repeat."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from tradetrail.errors import UsageError
from tradetrail.ids import derive_id
from tradetrail.log.provision import compare, topology
from tradetrail.log.topics import Topics
from tradetrail.settings import (
    DEFAULT_GROUPS,
    SharedSettings,
    SymbolGroup,
    configuration,
    configuration_hash,
    load,
)
from tradetrail.telemetry import redact

CANARY = "canary-7f3a"


class Keyed(BaseSettings):
    """Settings with a secret."""

    model_config = SettingsConfigDict(env_prefix="KEYED_")

    key: SecretStr = SecretStr(CANARY)
    url: str = f"https://someone:{CANARY}@registry.invalid/x"


def test_a_configuration_shows_no_secret_and_no_user_of_a_url() -> None:
    shown = json.dumps(configuration(Keyed()))
    assert CANARY not in shown
    assert "registry.invalid/x" in shown


@pytest.mark.parametrize(
    "event",
    [
        {"token": CANARY},
        {"deep": [{"APCA-API-SECRET-KEY": CANARY}]},
        {"said": f"no answer from http://someone:{CANARY}@host.invalid:80/path"},
        {"postgres_dsn": f"postgresql://u:{CANARY}@h/d"},
    ],
)
def test_no_secret_reaches_a_log_line(event: dict[str, object]) -> None:
    assert CANARY not in json.dumps(redact(event))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRADETRAIL_SYMBOL_GROUPS", "not json"),
        ("TRADETRAIL_SYMBOL_GROUPS", '[{"name": "A B", "patterns": [], "partitions": 1}]'),
        ("TRADETRAIL_RUN_PARTITIONS", "none"),
        ("TRADETRAIL_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=r"(?i)" + name.removeprefix("TRADETRAIL_")):
        load(SharedSettings)


def test_a_process_name_does_not_change_the_configuration() -> None:
    one, other = (
        SharedSettings(instance="a", http_port=1),
        SharedSettings(instance="b", http_port=2),
    )
    assert configuration_hash(configuration(one)) == configuration_hash(configuration(other))
    moved = SharedSettings(kafka="elsewhere:9092")
    assert configuration_hash(configuration(one)) != configuration_hash(configuration(moved))


def test_the_first_group_whose_pattern_fits_holds_a_symbol() -> None:
    topics = Topics.of(SharedSettings())
    assert topics.for_symbol("AAPL") == "trade.megacap"
    assert topics.for_symbol("BRK.B") == "trade.default"


@pytest.mark.parametrize(
    "groups",
    [
        (SymbolGroup(name="only", patterns=("AAPL",), partitions=1),),
        (SymbolGroup(name="runs", patterns=("*",), partitions=1),),
        (*DEFAULT_GROUPS, SymbolGroup(name="default", patterns=("X",), partitions=1)),
    ],
    ids=["no catch-all", "a reserved name", "a name twice"],
)
def test_groups_that_contradict_themselves_are_refused(groups: tuple[SymbolGroup, ...]) -> None:
    with pytest.raises(UsageError):
        Topics.of(SharedSettings(symbol_groups=groups))


def test_the_same_topology_is_accepted_and_another_named() -> None:
    recorded = json.loads(json.dumps(topology(Topics.of(SharedSettings()))))
    compare(recorded, topology(Topics.of(SharedSettings())))
    with pytest.raises(UsageError, match="TRADETRAIL_SYMBOL_GROUPS"):
        compare(recorded, topology(Topics.of(SharedSettings(run_partitions=2))))


def test_an_id_is_a_function_of_its_cause_and_borders_cannot_shift() -> None:
    assert derive_id("kind", "a", 1) == derive_id("kind", "a", 1)
    assert derive_id("kind", "ab", "c") != derive_id("kind", "a", "bc")
    with pytest.raises(ValueError, match="separator"):
        derive_id("kind", "a\x1fb")
