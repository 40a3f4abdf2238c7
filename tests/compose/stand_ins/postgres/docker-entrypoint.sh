#!/usr/bin/env bash
# What the official image's entry point does, as far as docker-compose.yml uses it: POSTGRES_USER, _PASSWORD, _DB and
# _INITDB_ARGS, each also as _FILE; scripts of /docker-entrypoint-initdb.d; a first server that answers on its socket
# only. Started as root it goes on as postgres.
set -euo pipefail

# file_env NAME [DEFAULT]: the variable, or what is in the file that NAME_FILE names.
file_env() {
    local file=${1}_FILE
    if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then
        echo "$1 and $file are both set" >&2
        exit 1
    fi
    [ -z "${!file:-}" ] || export "$1"="$(<"${!file}")"
    [ -n "${!1:-}" ] || export "$1"="${2:-}"
    unset "$file"
}

set_up() {
    file_env POSTGRES_USER postgres
    file_env POSTGRES_PASSWORD
    file_env POSTGRES_DB "$POSTGRES_USER"
    file_env POSTGRES_INITDB_ARGS
    [ -n "$POSTGRES_PASSWORD" ] || { echo "POSTGRES_PASSWORD is not set" >&2 && exit 1; }
    # Arguments are words, as in the official image.
    # shellcheck disable=SC2086
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-local=trust \
        --auth-host=scram-sha-256 $POSTGRES_INITDB_ARGS
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl --options='-c listen_addresses=' --wait start
    local psql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER")
    if [ "$POSTGRES_DB" != postgres ]; then
        "${psql[@]}" --dbname postgres --set "name=$POSTGRES_DB" <<<'CREATE DATABASE :"name"'
    fi
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sql) "${psql[@]}" --dbname "$POSTGRES_DB" -f "$file" ;;
        *) echo "ignoring $file" ;;
        esac
    done
    pg_ctl --mode=fast --wait stop
}

if [ "${1:-}" = postgres ]; then
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$PGDATA" /run/postgresql
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
    fi
    chmod 0700 "$PGDATA"
    [ -s "$PGDATA/PG_VERSION" ] || set_up
fi
exec "$@"
