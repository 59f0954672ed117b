"""The embedded schema registry: Apicurio with H2 file storage, so schema ids survive restarts."""

from __future__ import annotations

from tradetrail.stack import artifacts
from tradetrail.stack.home import Home
from tradetrail.stack.java import java_command
from tradetrail.stack.parts import Check, Part
from tradetrail.stack.ports import HOST, Ports

_HEAP_MAX_MB = 384
# The Confluent-compatible API, which every client here speaks.
API_PATH = "/apis/ccompat/v7"


def registry_parts(home: Home, ports: Ports) -> list[Part]:
    """Return the part that runs the registry."""
    folder = home.data / "registry"
    folder.mkdir(parents=True, exist_ok=True)
    port = ports.claim("registry")
    settings = {
        "quarkus.http.host": HOST,
        "quarkus.http.port": str(port),
        # The management page would listen on every interface and one fixed port.
        "quarkus.management.host": HOST,
        "quarkus.management.port": "0",
        "quarkus.http.access-log.enabled": "false",
        "quarkus.vertx.cache-directory": str(folder / "tmp"),
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        # H2 writes with half a second's delay by default: a crash would forget ids that are already in the log.
        "apicurio.datasource.url": f"jdbc:h2:file:{folder / 'registry'};WRITE_DELAY=0",
    }
    # The registry's work is small: starting with the quick compiler alone saves a second.
    command = java_command(_HEAP_MAX_MB, folder / "tmp", "-XX:TieredStopAtLevel=1")
    defines = tuple(f"-D{key}={value}" for key, value in settings.items())
    jar = artifacts.folder_of("registry") / "quarkus-run.jar"
    url = f"http://{HOST}:{port}{API_PATH}"
    return [
        Part(
            name="registry",
            kind="infrastructure",
            argv=(*command, *defines, "-jar", str(jar)),
            cwd=str(folder),
            address=url,
            check=Check("registry", url),
            port_names=("registry",),
        )
    ]
