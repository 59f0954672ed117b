"""Which tests get a second try in continuous integration, and that it is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import gets_second_try

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("folder", "gets_one"),
    [
        ("unit", False),
        ("faults", False),
        ("contract", True),
        ("integration/executor", True),
        ("e2e", True),
    ],
)
def test_only_tests_of_whole_processes_get_one(folder: str, gets_one: bool) -> None:
    assert gets_second_try(TESTS / folder / "test_it.py") is gets_one


UNSTEADY = """
tries = []

def test_unsteady():
    tries.append(1)
    assert len(tries) == 2

def test_broken():
    assert False
"""


@pytest.mark.parametrize(
    ("env", "told"),
    [({"CI": "true"}, "1 failed, 1 passed, 2 rerun"), ({"CI": ""}, "2 failed")],
    ids=["ci", "desk"],
)
def test_a_second_try_is_listed_and_a_second_failure_counts(
    tmp_path: Path, env: dict[str, str], told: str
) -> None:
    (tmp_path / "integration").mkdir()
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (tmp_path / "integration" / "test_some.py").write_text(UNSTEADY)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-raR", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent), **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 1, run.stdout
    assert told in run.stdout
    assert ("RERUN integration/test_some.py::test_unsteady" in run.stdout) is bool(env["CI"])
