-- Who may do what in the schema that is first on the search path. Run after every migration; safe to repeat.
-- Writer: adds events and schemas, adds and updates typed rows and positions. Nobody deletes, and only triggers write trades.
-- Reader and compliance: read. Roles are the whole server's; log-in users are made members of them.
DO $body$
DECLARE
    home name := current_schema();
    role_name name;
    table_name name;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['tradetrail_writer', 'tradetrail_reader', 'tradetrail_compliance']::name[] LOOP
        IF to_regrole(quote_ident(role_name)) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database of this server made it at the same moment.
            END;
        END IF;
        IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', home, role_name);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', home, role_name);
    END LOOP;
    FOR table_name IN
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = home::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
            AND c.relname NOT IN ('schema_version', 'trades')
    LOOP
        EXECUTE format('GRANT INSERT ON %I.%I TO tradetrail_writer', home, table_name);
        IF table_name <> 'schemas' THEN
            EXECUTE format('GRANT UPDATE ON %I.%I TO tradetrail_writer', home, table_name);
        END IF;
    END LOOP;
    EXECUTE format('GRANT INSERT ON %I.events TO tradetrail_writer', home);
    EXECUTE format('REVOKE ALL ON FUNCTION %I.ensure_events_month(date) FROM PUBLIC', home);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I.ensure_events_month(date) TO tradetrail_writer', home);
    -- Of an older step there is none yet.
    IF to_regprocedure(format('%I.ensure_events_months_ahead(integer)', home)) IS NOT NULL THEN
        EXECUTE format('REVOKE ALL ON FUNCTION %I.ensure_events_months_ahead(integer) FROM PUBLIC', home);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I.ensure_events_months_ahead(integer) TO tradetrail_writer', home);
        EXECUTE format('SELECT %I.ensure_events_months_ahead()', home);
    END IF;
END $body$
