"""The application parts: simulated vendors, the steps that prepare log and database, and the four services.

Their addresses and keys reach every part through the environment, by the names the containers use as well. A vendor
whose address the caller's environment already gives is the caller's: its simulator isn't started.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from tradetrail.stack.parts import Check, Part
from tradetrail.stack.ports import HOST, Ports

SIMULATORS = ("simulators.alpaca", "simulators.quiverquant")
SERVICES = ("ingestor", "decider", "executor", "auditor")
STEPS = ("migrate", "provision")

# What the simulators accept and the services send: not secrets.
_SIMULATED_KEYS = {
    "simulators.alpaca": {
        "TRADETRAIL_ALPACA_KEY_ID": "simulated-key-id",
        "TRADETRAIL_ALPACA_SECRET_KEY": "simulated-secret-key",
    },
    "simulators.quiverquant": {"TRADETRAIL_QUIVER_TOKEN": "simulated-token"},
}
# Simulated days pass in seconds, and the simulator counts no requests unless it is told to: the vendor's own
# allowances, which are of real time, would make the demo wait for hours.
_SIMULATED_RATE_CLASSES = '[{"prefix":"/beta/","requests":100000,"per_s":60}]'
_VENDOR_ADDRESS = {
    "simulators.alpaca": "TRADETRAIL_ALPACA_URL",
    "simulators.quiverquant": "TRADETRAIL_QUIVER_URL",
}
_STEP_MODULES = {
    "migrate": ("services.auditor", "--migrate"),
    "provision": ("tradetrail.log.provision",),
}
_STEP_NEEDS = {"migrate": ("postgres",), "provision": ("kafka", "registry")}
# Reading years of real disclosures and prices takes a simulator a while.
_SIMULATOR_READY_TIMEOUT_S = 180.0


def is_simulated(name: str) -> bool:
    """Tell whether the simulator ``name`` stands in for its vendor, whose address nobody gave."""
    return not os.environ.get(_VENDOR_ADDRESS[name])


def vendor_env(names: Sequence[str], ports: Ports) -> dict[str, str]:
    """Return the settings by which services find the simulators among ``names``."""
    env: dict[str, str] = {}
    for name in names:
        env |= _SIMULATED_KEYS[name]
        base = f"{HOST}:{ports.claim(name)}"
        if name == "simulators.alpaca":
            env["TRADETRAIL_ALPACA_URL"] = f"http://{base}"
            env["TRADETRAIL_ALPACA_DATA_URL"] = f"http://{base}"
            env["TRADETRAIL_ALPACA_STREAM_URL"] = f"ws://{base}/stream"
            env["TRADETRAIL_CLOCK_URL"] = f"http://{base}/control/clock"
        else:
            env["TRADETRAIL_QUIVER_URL"] = f"http://{base}"
            env["TRADETRAIL_COMMITTEES_URL"] = f"http://{base}"
            env["TRADETRAIL_SECTORS_URL"] = f"http://{base}/sectors.csv"
            env["TRADETRAIL_INGESTOR_RATE_CLASSES"] = _SIMULATED_RATE_CLASSES
    # Keys and addresses that the caller set stay as they are.
    return {key: os.environ.get(key) or value for key, value in env.items()}


def simulator_part(
    name: str, ports: Ports, arguments: Sequence[str], env: Mapping[str, str]
) -> Part:
    """Return the part of one simulator; ``arguments`` come after ``--host`` and ``--port``."""
    port = ports.claim(name)
    return Part(
        name=name,
        kind="simulator",
        argv=(sys.executable, "-m", name, "--host", HOST, "--port", str(port), *arguments),
        env=dict(env),
        address=f"http://{HOST}:{port}",
        check=Check("http", f"http://{HOST}:{port}/control/clock"),
        ready_timeout_s=_SIMULATOR_READY_TIMEOUT_S,
        port_names=(name,),
    )


def step_part(name: str, env: Mapping[str, str]) -> Part:
    """Return a step that runs to its end before any service starts: ``migrate`` or ``provision``."""
    argv = (sys.executable, "-m", *_STEP_MODULES[name])
    return Part(name=name, kind="step", argv=argv, env=dict(env), depends_on=_STEP_NEEDS[name])


def service_part(name: str, ports: Ports, env: Mapping[str, str]) -> Part:
    """Return the part of one service; it restarts when it crashes."""
    port = ports.claim(name)
    own = {"TRADETRAIL_HTTP_HOST": HOST, "TRADETRAIL_HTTP_PORT": str(port)}
    return Part(
        name=name,
        argv=(sys.executable, "-m", f"services.{name}"),
        env={**env, **own},
        address=f"http://{HOST}:{port}",
        check=Check("http", f"http://{HOST}:{port}/health"),
        restart="always",
        start_attempts_max=3,
        depends_on=("kafka", "registry", "postgres", *STEPS, *SIMULATORS),
        port_names=(name,),
    )
