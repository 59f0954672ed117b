"""From names to parts: what ``up --only kafka,auditor`` or a test asked for, with everything it needs declared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.stack.apps import (
    SERVICES,
    SIMULATORS,
    STEPS,
    is_simulated,
    service_part,
    simulator_part,
    step_part,
    vendor_env,
)
from tradetrail.stack.home import Home
from tradetrail.stack.kafka import kafka_parts
from tradetrail.stack.parts import Check, Part
from tradetrail.stack.ports import Ports
from tradetrail.stack.postgres import postgres_parts
from tradetrail.stack.registry import registry_parts

INFRASTRUCTURE = ("kafka", "registry", "postgres")
ALL_PARTS = (*INFRASTRUCTURE, *SIMULATORS, *SERVICES)

# The setting that names an existing server instead of the embedded one.
ADDRESS_VARIABLE = {
    "kafka": "TRADETRAIL_KAFKA",
    "registry": "TRADETRAIL_REGISTRY_URL",
    "postgres": "TRADETRAIL_POSTGRES_DSN",
}
_BUILDERS: dict[str, Callable[[Home, Ports], list[Part]]] = {
    "kafka": kafka_parts,
    "registry": registry_parts,
    "postgres": postgres_parts,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to start: names out of ``ALL_PARTS``, what the simulators get on their command lines, and settings."""

    names: tuple[str, ...] = INFRASTRUCTURE
    simulator_arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return this as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Wanted:
        """Return what ``to_json`` wrote."""
        return cls(
            tuple(content["names"]), tuple(content["simulator_arguments"]), dict(content["env"])
        )


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names in starting order, without repeats. Raises UsageError for an unknown one."""
    unknown = sorted(set(names) - set(ALL_PARTS))
    if unknown:
        raise UsageError(f"unknown part {', '.join(unknown)}; the parts are {', '.join(ALL_PARTS)}")
    return tuple(name for name in ALL_PARTS if name in names)


def infrastructure_parts(name: str, home: Home, ports: Ports) -> list[Part]:
    """Return the parts of one server: the embedded one, or the check of an existing one."""
    existing = os.environ.get(ADDRESS_VARIABLE[name])
    if not existing:
        return _BUILDERS[name](home, ports)
    kind: dict[str, Any] = {"kafka": "kafka", "registry": "registry", "postgres": "postgres"}
    address = existing.rpartition("@")[2] if name == "postgres" else existing
    return [
        Part(name=name, kind="infrastructure", address=address, check=Check(kind[name], existing))
    ]


def application_parts(wanted: Wanted, running: Sequence[str], ports: Ports) -> list[Part]:
    """Return simulators, steps and services for ``wanted``; ``running`` names the parts that are there already."""
    simulators = [name for name in SIMULATORS if name in wanted.names and is_simulated(name)]
    services = [name for name in SERVICES if name in wanted.names]
    parts = [
        simulator_part(name, ports, wanted.simulator_arguments, wanted.env) for name in simulators
    ]
    if services:
        parts += [step_part(name, wanted.env) for name in STEPS if name not in running]
    return parts + [service_part(name, ports, wanted.env) for name in services]


def stack_env(parts: Mapping[str, Part], ports: Ports) -> dict[str, str]:
    """Return the settings by which any program finds the servers and simulated vendors among ``parts``."""
    env = {
        ADDRESS_VARIABLE[name]: parts[name].check.target for name in INFRASTRUCTURE if name in parts
    }
    return env | vendor_env([name for name in SIMULATORS if name in parts], ports)
