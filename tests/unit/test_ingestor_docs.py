"""The operators' page names every task, flag, code, setting and step; the command line knows every task."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.ingestor.breakpoints import STEPS
from services.ingestor.maintenance.findings import FindingCode
from services.ingestor.rows.flags import Flag
from services.ingestor.settings import IngestorSettings
from services.ingestor.tasks import TASKS
from services.ingestor.trouble import ErrorCode
from tradetrail.tasks import DATA_SOURCES

PAGE = (Path(__file__).parents[2] / "docs" / "ingestor.md").read_text()
WORDS = [*Flag, *ErrorCode, *FindingCode, *IngestorSettings.model_fields, *TASKS, *STEPS]


@pytest.mark.parametrize("word", WORDS)
def test_the_page_names(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_the_command_and_the_reports_know_the_services_tasks_and_sources() -> None:
    assert {name: task.data_source for name, task in TASKS.items()} == DATA_SOURCES
