"""Every real row of a data folder (``TRADETRAIL_DATA_DIR``) becomes a record, once."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from services.ingestor.sources.quiver import Window
from simulators.world import open_world
from tests.contract.quiver_server import quiver
from tests.integration.ingestor_harness import INSIDER, ingestor
from tradetrail.events.generated import DisclosureRecorded, RecordKept
from tradetrail.settings import SharedSettings

pytestmark = [pytest.mark.stack, pytest.mark.data]

ALL_CONGRESS = Window(date(2000, 1, 1), date(2030, 1, 1), is_explicit=True)


def test_all_congress_rows_become_records_and_the_second_pass_creates_nothing(
    log: SharedSettings, data_folder: Path
) -> None:
    world = open_world(data_folder)
    expected = len(world.congress)
    with quiver(world, "2027-01-01T12:00:00Z") as client, ingestor(log, client) as here:
        started = time.process_time()
        first = here.run(window=ALL_CONGRESS)
        took_s = time.process_time() - started
        assert first.error is None
        assert first.counts is not None
        assert first.counts.created + first.counts.skipped == expected
        assert first.counts.created == expected
        second = here.run(window=ALL_CONGRESS)
        assert second.counts is not None
        assert (second.counts.created, second.counts.updated) == (0, 0)
        assert second.counts.skipped == expected
        records = here.events(DisclosureRecorded)
        assert len({record.record_id for record in records}) == len(records) == expected
        assert len(here.events(RecordKept)) == expected
        # Processor time, which the work of others does not add to: a few seconds. Far more would mean that a pass is no
        # longer linear.
        assert took_s < 60


def test_a_week_of_real_insider_rows_is_taken_once(log: SharedSettings, data_folder: Path) -> None:
    world = open_world(data_folder)
    window = Window(date(2022, 5, 2), date(2022, 5, 8), is_explicit=True)
    expected = sum(window.start <= row.filed_on <= window.end for row in world.insiders)
    with quiver(world, "2027-01-01T12:00:00Z") as client, ingestor(log, client) as here:
        first, second = here.run(INSIDER, window), here.run(INSIDER, window)
        assert first.counts is not None
        assert second.counts is not None
        assert (first.counts.fetched, first.counts.created) == (expected, expected)
        assert (second.counts.created, second.counts.skipped) == (0, expected)
