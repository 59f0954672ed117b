"""The audit database as a page: tables, columns and foreign keys from the comments in the database itself."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg

_RELATIONS: LiteralString = """
SELECT c.relname, obj_description(c.oid, 'pg_class'), c.relkind = 'v'
FROM pg_class c
WHERE c.relnamespace = %(schema)s::text::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
ORDER BY c.relkind = 'v', c.relname
"""
_COLUMNS: LiteralString = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum),
    EXISTS (
        SELECT 1 FROM pg_index i
        WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey::smallint[])
    )
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = %(schema)s::text::regnamespace AND c.relname = %(table)s
    AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_PARENTS: LiteralString = """
SELECT child.relname, parent.relname
FROM pg_constraint f
JOIN pg_class child ON child.oid = f.conrelid
JOIN pg_class parent ON parent.oid = f.confrelid
WHERE f.contype = 'f' AND f.connamespace = %(schema)s::text::regnamespace
GROUP BY child.relname, parent.relname
ORDER BY child.relname, parent.relname
"""


def describe(connection: psycopg.Connection[Any], schema: str) -> str:
    """Return tables, columns and a diagram of ``schema`` as Markdown; what lacks a comment is marked MISSING."""
    lines = ["```mermaid", "erDiagram"]
    for child, parent in connection.execute(_PARENTS, {"schema": schema}):
        lines.append(f"    {parent} ||--o{{ {child} : has")
    lines += ["```", ""]
    for table, comment, is_view in connection.execute(_RELATIONS, {"schema": schema}).fetchall():
        lines += [f"### {table}{' (view)' if is_view else ''}", "", comment or "MISSING", ""]
        lines += ["| column | type | meaning |", "| --- | --- | --- |"]
        columns = connection.execute(_COLUMNS, {"schema": schema, "table": table})
        for name, kind, meaning, in_key in columns.fetchall():
            shown = f"**{name}**" if in_key else name
            lines.append(f"| {shown} | {kind} | {meaning or 'MISSING'} |")
        lines.append("")
    return "\n".join(lines)
