"""Make ``artifacts.json`` again: resolve the servers' Java files with jgo and pin each by SHA-256.

Run ``python -m tradetrail.stack.relock`` after changing a version here, read the difference, and commit it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from jgo.maven import MavenContext

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka logs through slf4j; its own distribution adds this binding, its artifact does not depend on it.
KAFKA_LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
REGISTRY = ("io.apicurio", "apicurio-registry-app", "3.3.3", "all", "tar.gz")
_TARGET = Path(__file__).with_name("artifacts.json")


def _pin(artifact: Any) -> dict[str, Any]:
    file = Path(artifact.resolve())
    parts = (
        artifact.groupId,
        artifact.artifactId,
        artifact.version,
        artifact.classifier,
        artifact.packaging,
    )
    return {
        "coordinate": ":".join(parts),
        "filename": artifact.filename,
        "size": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def main() -> None:
    """Resolve, download and write the pins."""
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        inputs, transitive = context.resolver.resolve([context.create_dependency(KAFKA)])
        # Alone: resolved together, the binding's own list of versions would override Kafka's.
        binding = context.create_dependency(KAFKA_LOGGING)
        wanted = [*inputs, *transitive, binding]
        kafka = {dependency.artifact.filename: dependency.artifact for dependency in wanted}
        group, name, version, classifier, packaging = REGISTRY
        component = context.project(group, name).at_version(version)
        registry = component.artifact(classifier=classifier, packaging=packaging)
        content = {
            "kafka": {
                "version": KAFKA.rsplit(":", 1)[1],
                "files": [_pin(kafka[name]) for name in sorted(kafka)],
            },
            "registry": {"version": version, "unpack": True, "files": [_pin(registry)]},
        }
    _TARGET.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
