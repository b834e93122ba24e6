#!/bin/sh
# Run once by the image of PostgreSQL, when its volume is empty: Dagster gets a database and a user of its own.
set -eu

psql -v ON_ERROR_STOP=1 -v password="$DAGSTER_DB_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE USER dagster PASSWORD :'password';
CREATE DATABASE dagster OWNER dagster;
SQL
