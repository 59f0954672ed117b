"""The embedded Kafka: one KRaft node, broker and controller in one process, on the loopback address."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tradetrail.stack import artifacts
from tradetrail.stack.home import Home
from tradetrail.stack.java import java_command
from tradetrail.stack.parts import Check, Part
from tradetrail.stack.ports import HOST, Ports

# Formatting starts one JVM and writes two small files: a second, usually; a minute was seen on a machine with ten times
# the work it has cores for.
_FORMAT_TIMEOUT_S = 180
_HEAP_MAX_MB = 512

# 3 MiB: a dead letter holds an event of the maximum size and its wrapper (2 MiB), plus the batch's own overhead.
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log_dir}
auto.create.topics.enable=false
log.message.timestamp.type=LogAppendTime
message.max.bytes=3145728
replica.fetch.max.bytes=3145728
log.retention.ms=-1
log.cleaner.enable=true
log.cleaner.threads=1
offsets.retention.minutes=5256000
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=2
# After a crash the controller refuses the broker's return until its old session ends: 9 s by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=300
"""

_LOGGING = """\
<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d{yyyy-MM-dd'T'HH:mm:ss.SSS} %p %m (%c{1})%n"/></Console>
  </Appenders>
  <Loggers>
    <Logger name="org.apache.kafka.common.config.AbstractConfig" level="WARN"/>
    <Logger name="kafka.server.KafkaConfig" level="WARN"/>
    <Root level="INFO"><AppenderRef ref="out"/></Root>
  </Loggers>
</Configuration>
"""


def kafka_parts(home: Home, ports: Ports) -> list[Part]:
    """Return the parts that make Kafka run: its one-time formatting, if that is to be done, and the broker."""
    folder = home.data / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    port, controller_port = ports.claim("kafka"), ports.claim("kafka.controller")
    log_dir = folder / "log"
    settings = _SETTINGS.format(
        host=HOST, port=port, controller_port=controller_port, log_dir=log_dir
    )
    (folder / "server.properties").write_text(settings)
    (folder / "log4j2.xml").write_text(_LOGGING)
    command = (
        *java_command(
            _HEAP_MAX_MB, folder / "tmp", f"-Dlog4j2.configurationFile={folder / 'log4j2.xml'}"
        ),
        "-cp",
        f"{artifacts.folder_of('kafka')}/*",
    )
    broker = Part(
        name="kafka",
        kind="infrastructure",
        argv=(*command, "kafka.Kafka", str(folder / "server.properties")),
        cwd=str(folder),
        address=f"{HOST}:{port}",
        check=Check("kafka", f"{HOST}:{port}"),
        depends_on=("kafka.format",),
        port_names=("kafka", "kafka.controller"),
    )
    if log_dir.exists():
        return [broker]
    step = Part(
        name="kafka.format",
        kind="step",
        argv=(sys.executable, "-m", "tradetrail.stack.kafka", str(folder), *command),
        ready_timeout_s=_FORMAT_TIMEOUT_S,
    )
    return [step, broker]


def format_storage(folder: Path, command: list[str]) -> int:
    """Format a new log folder beside its final place and move it there, so that a killed start leaves no half."""
    draft = folder / "log.new"
    shutil.rmtree(draft, ignore_errors=True)
    settings = (folder / "server.properties").read_text()
    (folder / "format.properties").write_text(
        settings.replace(f"log.dirs={folder / 'log'}", f"log.dirs={draft}")
    )
    # Every stack is a cluster of one; clients of two stacks never meet, so one id serves all.
    cluster_id = "dHJhZGV0cmFpbC1sb2NhbA"
    arguments = [
        "format",
        "--cluster-id",
        cluster_id,
        "--config",
        str(folder / "format.properties"),
    ]
    done = subprocess.run(
        [*command, "kafka.tools.StorageTool", *arguments], check=False, timeout=_FORMAT_TIMEOUT_S
    )
    if done.returncode == 0:
        draft.rename(folder / "log")
    return done.returncode


if __name__ == "__main__":
    sys.exit(format_storage(Path(sys.argv[1]), sys.argv[2:]))
