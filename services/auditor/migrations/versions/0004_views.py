"""Views under the names people ask for."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

QUIVER_TRADES = """
CREATE VIEW quiver_trades AS
SELECT record_id, version, 'congress' AS record_type, symbol AS ticker, politician_name AS representative,
    NULL AS insider, transaction_type, direction, transaction_date, disclosed_on, amount_usd_min, amount_usd_max,
    NULL::numeric AS shares, flags, run_id, topic, partition, "offset", available_at
FROM congress_trades
UNION ALL
SELECT record_id, version, 'insider', symbol, NULL, insider_name, transaction_type, direction, transaction_date,
    disclosed_on, NULL, NULL, shares, flags, run_id, topic, partition, "offset", available_at
FROM insider_trades
"""
COMMENTS = {
    "record_id": "Stable id of the record.",
    "version": "From 1; a changed record is a new version.",
    "record_type": "congress or insider.",
    "ticker": "Symbol; empty where the vendor's ticker is unusable.",
    "representative": "Politician; empty for an insider.",
    "insider": "Insider; empty for a politician.",
    "transaction_type": "The vendor's word or code.",
    "direction": "What that means.",
    "transaction_date": "Day of the trade.",
    "disclosed_on": "Day of the report.",
    "amount_usd_min": "Lower bound of a politician's amount, USD.",
    "amount_usd_max": "Upper bound, USD; empty when open.",
    "shares": "Shares, of an insider.",
    "flags": "What is odd about the row.",
    "run_id": "Run that fetched it.",
    "topic": "Topic of the event this row comes from.",
    "partition": "Its partition.",
    "offset": "Its offset.",
    "available_at": "When Kafka appended that event, UTC.",
}


def upgrade() -> None:
    """Make the views."""
    op.execute(QUIVER_TRADES)
    op.execute("COMMENT ON VIEW quiver_trades IS 'Disclosed trades of both kinds, every version.'")
    for name, comment in COMMENTS.items():
        quoted = comment.replace("'", "''")
        op.execute(f"COMMENT ON COLUMN quiver_trades.\"{name}\" IS '{quoted}'")
