# Runs inside the Postgres container, once, while a new volume is prepared: a database and a login of the registry's own.
psql --quiet --set=ON_ERROR_STOP=1 --set=password="$REGISTRY_PASSWORD" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE registry LOGIN PASSWORD :'password';
CREATE DATABASE registry OWNER registry;
REVOKE CONNECT ON DATABASE registry FROM PUBLIC;
SQL
