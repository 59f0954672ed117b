-- Runs as the owner: the writer itself may not touch trades.
CREATE FUNCTION trade_executions_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    ids text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        ids := ARRAY(SELECT DISTINCT trade_decision_id FROM now_told WHERE filled_quantity > 0);
    ELSIF TG_OP = 'UPDATE' THEN
        ids := ARRAY(
            SELECT trade_decision_id FROM now_told WHERE filled_quantity > 0
            UNION
            SELECT trade_decision_id FROM told_before WHERE filled_quantity > 0
        );
    ELSE
        ids := ARRAY(SELECT DISTINCT trade_decision_id FROM told_before WHERE filled_quantity > 0);
    END IF;
    IF ids <> '{}' THEN
        EXECUTE format('SELECT %I.refresh_trades($1)', TG_TABLE_SCHEMA) USING ids;
    END IF;
    RETURN NULL;
END $body$;

REVOKE ALL ON FUNCTION trade_executions_changed() FROM PUBLIC;

CREATE TRIGGER executions_added AFTER INSERT ON trade_executions
REFERENCING NEW TABLE AS now_told
FOR EACH STATEMENT EXECUTE FUNCTION trade_executions_changed();

CREATE TRIGGER executions_updated AFTER UPDATE ON trade_executions
REFERENCING OLD TABLE AS told_before NEW TABLE AS now_told
FOR EACH STATEMENT EXECUTE FUNCTION trade_executions_changed();

CREATE TRIGGER executions_deleted AFTER DELETE ON trade_executions
REFERENCING OLD TABLE AS told_before
FOR EACH STATEMENT EXECUTE FUNCTION trade_executions_changed()
