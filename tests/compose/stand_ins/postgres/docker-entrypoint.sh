#!/usr/bin/env bash
# In words of our own, what the official image's entry point does as far as a user of it can see. ../README.md lists it.
#
# May be read with `.` by another script, which then calls `prepare` and `make_database`.
set -Eeo pipefail

# from_file NAME [DEFAULT]: the variable, or what is in the file that NAME_FILE names. Not both.
from_file() {
    local file=${1}_FILE
    if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then
        echo "error: $1 and $file exclude each other" >&2
        exit 1
    fi
    if [ -n "${!1:-}" ]; then
        :
    elif [ -n "${!file:-}" ]; then
        # A file that cannot be read ends the script.
        export "$1"="$(<"${!file}")"
    else
        export "$1"="${2:-}"
    fi
    unset "$file"
}

# sql DATABASE [OPTIONS...]
sql() {
    PGHOST='' PGHOSTADDR='' psql --no-psqlrc --no-password --username "$POSTGRES_USER" -v ON_ERROR_STOP=1 --dbname "$@"
}

# Reads the variables, and sees whether there is a database: the file PG_VERSION alone says so, however it came there.
prepare() {
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS
    is_made=
    [ ! -s "$PGDATA/PG_VERSION" ] || is_made=yes

    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" || :
    mkdir -p /run/postgresql || :
    chmod 3775 /run/postgresql || :
    [ "$(id -u)" != 0 ] || chown -R postgres "$PGDATA" /run/postgresql
}

as_postgres() {
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}

# By the order of their names; what is not executable is read into this shell.
run_scripts() {
    local file
    for file in "$@"; do
        case $file in
        *.sh)
            echo "$0: $file"
            # shellcheck source=/dev/null
            if [ -x "$file" ]; then "$file"; else . "$file"; fi
            ;;
        *.sql) echo "$0: $file" && sql "$POSTGRES_DB" -f "$file" ;;
        *.sql.gz) echo "$0: $file" && gunzip -c "$file" | sql "$POSTGRES_DB" ;;
        *.sql.xz) echo "$0: $file" && xzcat "$file" | sql "$POSTGRES_DB" ;;
        *.sql.zst) echo "$0: $file" && zstd -dc "$file" | sql "$POSTGRES_DB" ;;
        *) echo "$0: $file is left alone" ;;
        esac
    done
}

# make_database [OPTIONS OF postgres...]
make_database() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        echo "error: there is no database yet, and POSTGRES_PASSWORD is not set" >&2
        exit 1
    fi
    ls /docker-entrypoint-initdb.d/ >/dev/null
    # Its arguments are words of a shell. Without --auth the socket and 127.0.0.1 are trusted, as in the official image.
    eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") $POSTGRES_INITDB_ARGS"
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}" >>"$PGDATA/pg_hba.conf"

    # A server for the scripts alone: on its socket, not by TCP.
    export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")" -w start
    sql postgres -v name="$POSTGRES_DB" <<<"SELECT format('CREATE DATABASE %I', :'name')
        WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec"
    run_scripts /docker-entrypoint-initdb.d/*
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    [ "${1:0:1}" != - ] || set -- postgres "$@"
    if [ "$1" = postgres ]; then
        prepare
        [ "$(id -u)" != 0 ] || as_postgres "$0" "$@"
        if [ -n "$is_made" ]; then
            echo "$0: there is a database; it is left as it is"
        else
            make_database "${@:2}"
        fi
    fi
    exec "$@"
fi
