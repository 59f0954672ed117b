"""The ingestor's tasks by name, and the data source that each one's runs belong to."""

from __future__ import annotations

DATA_SOURCES = {
    "data_fetch:congress_daily": "quiverquant_congress",
    "data_fetch:insider_daily": "quiverquant_insider",
    "data_fetch:committees": "congress_legislators_committees",
    "data_fetch:sectors": "sectors",
    "maintenance:daily": "maintenance",
}
