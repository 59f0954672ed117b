"""Puts a filled schema into the place of the live one: everything about it, in one transaction."""

from __future__ import annotations

from datetime import date
from typing import LiteralString

from psycopg import sql

from services.auditor.database.schema import NAME_LENGTH_MAX
from services.auditor.rebuild.desk import Desk
from tradetrail.errors import UsageError

# Months that auditors know to be there must be there after the swap, also those without an event.
_MONTHS: LiteralString = """
SELECT to_date(right(c.relname, 7), 'YYYY_MM')
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
WHERE p.relnamespace = to_regnamespace(quote_ident(%s)) AND p.relname = 'events' AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
"""
# What was granted to others than the migrations know of; PUBLIC has the oid 0.
_GRANTS: LiteralString = """
SELECT c.relname::text, CASE WHEN a.grantee = 0 THEN NULL ELSE a.grantee::regrole::text END, a.privilege_type,
    a.is_grantable
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
WHERE c.relnamespace = to_regnamespace(quote_ident(%(live)s)) AND c.relkind IN ('r', 'p', 'v')
    AND NOT c.relispartition AND a.grantee <> c.relowner
UNION ALL
SELECT NULL, CASE WHEN a.grantee = 0 THEN NULL ELSE a.grantee::regrole::text END, a.privilege_type, a.is_grantable
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
WHERE n.nspname = %(live)s AND a.grantee <> n.nspowner
"""
# Views, rules and foreign keys of other schemas hang on the tables themselves, not on their names.
_DEPENDENTS: LiteralString = """
SELECT DISTINCT o.relnamespace::regnamespace::text || '.' || o.relname
FROM pg_depend d
JOIN pg_class t ON t.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
LEFT JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
LEFT JOIN pg_constraint k ON k.oid = d.objid AND d.classid = 'pg_constraint'::regclass
JOIN pg_class o ON o.oid = COALESCE(r.ev_class, k.conrelid)
WHERE t.relnamespace = to_regnamespace(quote_ident(%(live)s)) AND o.relnamespace <> t.relnamespace
    AND o.relpersistence <> 't'
ORDER BY 1
"""
_OLD_NAME: LiteralString = """
SELECT left(%(live)s, {room}) || to_char(now() AT TIME ZONE 'UTC', '_YYYYMMDD_HH24MISS')
"""
_MAY: LiteralString = """
SELECT pg_has_role(nspowner, 'USAGE') AND has_database_privilege(current_database(), 'CREATE')
FROM pg_namespace WHERE nspname = %s
"""
_STAMP_LENGTH = len("_YYYYMMDD_HHMMSS")


def check_swap(desk: Desk) -> None:
    """Raise UsageError for what would be lost or left behind by a swap; the scratch schema must be there by now."""
    found = desk.connection.execute(_MAY, (desk.live,)).fetchone()
    if found is None or not found[0]:
        raise UsageError(
            f"this role can't swap schema {desk.live}: log in as its owner, with CREATE on the database"
        )
    if foreign := sorted(desk.relations(desk.live) - desk.relations(desk.scratch)):
        raise UsageError(
            f"schema {desk.live} also holds {', '.join(foreign)}, which the migrations don't make and a rebuild would "
            "lose: move it to another schema first"
        )
    outside = [name for (name,) in desk.connection.execute(_DEPENDENTS, {"live": desk.live})]
    if outside:
        raise UsageError(
            f"{', '.join(outside)} stand on tables of schema {desk.live} and would go on showing the old ones: drop "
            "them, and make them again after the rebuild"
        )


def prepare(desk: Desk) -> None:
    """Give the scratch schema what is not in the log: months, schemas kept, and grants. Part of the swap."""
    live, scratch = sql.Identifier(desk.live), sql.Identifier(desk.scratch)
    run = desk.connection.execute
    months: list[date] = [month for (month,) in run(_MONTHS, (desk.live,))]
    for month in sorted(months):
        run(sql.SQL("SELECT {}.ensure_events_month(%s)").format(scratch), (month,))
    # A schema once kept stays kept: the registry may not have it any more.
    run(
        sql.SQL("INSERT INTO {}.schemas SELECT * FROM {}.schemas ON CONFLICT DO NOTHING").format(
            scratch, live
        )
    )
    for relation, grantee, privilege, grantable in run(_GRANTS, {"live": desk.live}).fetchall():
        on = (
            sql.SQL("SCHEMA {}").format(scratch)
            if relation is None
            else sql.Identifier(desk.scratch, relation)
        )
        run(
            sql.SQL("GRANT {} ON {} TO {}{}").format(
                sql.SQL(privilege),
                on,
                sql.SQL("PUBLIC") if grantee is None else sql.SQL(grantee),
                sql.SQL(" WITH GRANT OPTION" if grantable else ""),
            )
        )


def rename(desk: Desk) -> str:
    """Put the scratch schema into the live one's place; return the name under which the old one is kept."""
    query = sql.SQL(_OLD_NAME).format(room=sql.Literal(NAME_LENGTH_MAX - _STAMP_LENGTH))
    row = desk.connection.execute(query, {"live": desk.live}).fetchone()
    old = str(row[0]) if row else ""
    for was, becomes in ((desk.live, old), (desk.scratch, desk.live)):
        desk.connection.execute(
            sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(
                sql.Identifier(was), sql.Identifier(becomes)
            )
        )
    return old
