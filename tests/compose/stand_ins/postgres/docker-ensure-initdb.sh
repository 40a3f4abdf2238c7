#!/usr/bin/env bash
# As the official image's script of this name: makes the database where there is none, and ends.
set -Eeuo pipefail

POSTGRES_HOST_AUTH_METHOD=${POSTGRES_HOST_AUTH_METHOD:-}
# shellcheck source=tests/compose/stand_ins/postgres/docker-entrypoint.sh
. /usr/local/bin/docker-entrypoint.sh
[ "${1:-}" != postgres ] || shift

prepare
[ "$(id -u)" != 0 ] || as_postgres "$0" "$@"
if [ -n "$is_made" ]; then
    echo "${0##*/}: there is a database in $PGDATA" >&2
else
    make_database "$@"
fi
