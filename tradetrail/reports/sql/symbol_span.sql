-- First and last day with anything recorded about a symbol; both empty when there is nothing.
SELECT least(
        (SELECT min(disclosed_on) FROM congress_trades WHERE symbol = %(symbol)s),
        (SELECT min(disclosed_on) FROM insider_trades WHERE symbol = %(symbol)s),
        (SELECT (min(created_at) AT TIME ZONE 'America/New_York')::date FROM trade_decisions WHERE symbol = %(symbol)s),
        (SELECT (min(created_at) AT TIME ZONE 'America/New_York')::date FROM declined_decisions WHERE symbol = %(symbol)s),
        (SELECT (min(filled_at) AT TIME ZONE 'America/New_York')::date FROM trade_executions WHERE symbol = %(symbol)s)
    ) AS first_day,
    greatest(
        (SELECT max(disclosed_on) FROM congress_trades WHERE symbol = %(symbol)s),
        (SELECT max(disclosed_on) FROM insider_trades WHERE symbol = %(symbol)s),
        (SELECT (max(created_at) AT TIME ZONE 'America/New_York')::date FROM trade_decisions WHERE symbol = %(symbol)s),
        (SELECT (max(created_at) AT TIME ZONE 'America/New_York')::date FROM declined_decisions WHERE symbol = %(symbol)s),
        (SELECT (max(filled_at) AT TIME ZONE 'America/New_York')::date FROM trade_executions WHERE symbol = %(symbol)s)
    ) AS last_day
