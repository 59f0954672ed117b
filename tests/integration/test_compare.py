"""Two schemas compared: every kind of difference is seen, counted and named, across the ranges it is done in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from services.auditor.database import compare as compare_module
from services.auditor.database.compare import compare
from services.auditor.database.differences import TableComparison

pytestmark = pytest.mark.stack


def test_a_comparison_sees_every_kind_of_difference(
    stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_module, "RANGE_ROWS", 2)
    own = f"compare_{uuid4().hex[:8]}"
    left, right = f"{own}_left", f"{own}_right"
    with psycopg.connect(stack.addresses.postgres_dsn) as connection:
        for schema in (left, right):
            connection.execute(f"CREATE SCHEMA {schema}".encode())
            connection.execute(
                f"CREATE TABLE {schema}.things (a text, b int, j json, n numeric, x bytea, PRIMARY KEY (a, b))".encode()
            )
            connection.execute(
                f"INSERT INTO {schema}.things SELECT 'k' || i / 3, i % 3, '{{\"i\": 1}}', 1.0, NULL "
                "FROM generate_series(1, 9) AS i".encode()
            )
        connection.execute(f"CREATE TABLE {left}.schema_version (version_num text)".encode())

        def found() -> tuple[TableComparison, str]:
            (things,) = compare(connection, left, right)
            return things, str(things.first)

        assert found()[0] == TableComparison("things", 9, 9)
        for change, counts, told in (
            # In what was changed before, the first by key is told.
            (
                f"INSERT INTO {right}.things (a, b) VALUES ('z', 1), ('z', 2), ('z', 3)",
                (9, 12, 3, 0, 0),
                "things (a=z, b=1): the row is missing",
            ),
            (
                f"UPDATE {right}.things SET n = 1.00 WHERE a = 'k3'",
                (9, 12, 3, 0, 1),
                "things (a=k3, b=0): n is '1.0', the log gives '1.00'",
            ),
            (
                f"UPDATE {left}.things SET j = '{{\"i\":1}}', x = '' WHERE a = 'k2' AND b = 2",
                (9, 12, 3, 0, 2),
                "things (a=k2, b=2): j is '{\"i\":1}', the log gives '{\"i\": 1}'",
            ),
            (
                f"INSERT INTO {left}.things (a, b) VALUES ('a', 1)",
                (10, 12, 3, 1, 2),
                "things (a=a, b=1): the row is extra",
            ),
        ):
            connection.execute(change.encode())
            things, text = found()
            assert text == told
            assert counts == (
                *(things.left_rows, things.right_rows),
                *(things.missing, things.extra, things.different),
            )
        connection.execute(f"ALTER TABLE {left}.things ADD COLUMN more text".encode())
        assert found()[1] == "things: the column more is extra"
        connection.rollback()
