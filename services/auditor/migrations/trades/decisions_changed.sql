-- A decision has no executions before it has a row, and none left when its row goes: only updates count.
CREATE FUNCTION trade_decisions_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    ids text[] := ARRAY(SELECT decision_id FROM now_told);
BEGIN
    EXECUTE format('SELECT ARRAY(SELECT decision_id FROM %I.trades WHERE decision_id = ANY ($1))', TG_TABLE_SCHEMA)
        INTO ids USING ids;
    IF ids <> '{}' THEN
        EXECUTE format('SELECT %I.refresh_trades($1)', TG_TABLE_SCHEMA) USING ids;
    END IF;
    RETURN NULL;
END $body$;

REVOKE ALL ON FUNCTION trade_decisions_changed() FROM PUBLIC;

CREATE TRIGGER decisions_updated AFTER UPDATE ON trade_decisions
REFERENCING NEW TABLE AS now_told
FOR EACH STATEMENT EXECUTE FUNCTION trade_decisions_changed()
