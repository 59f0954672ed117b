"""Where a report must refuse before it asks the database."""

from __future__ import annotations

from typing import Any

import psycopg


class NoDatabase(psycopg.Connection[Any]):
    """Stands where a connection must not be touched."""

    def __init__(self) -> None:
        """Connect to nothing."""

    def __del__(self, *_: object) -> None:
        """Close nothing."""
