#!/bin/sh
# What the real image's entry point does, as far as docker-compose.yml uses it.
set -eu

# PGADMIN_CONFIG_NAME=value, with value in Python's words, becomes NAME = value.
env | sed -n 's/^PGADMIN_CONFIG_\([A-Z_]*\)=\(.*\)/\1 = \2/p' >/pgadmin4/config_distro.py

if [ ! -f /var/lib/pgadmin/pgadmin4.db ]; then
    PGADMIN_SETUP_EMAIL=$PGADMIN_DEFAULT_EMAIL
    PGADMIN_SETUP_PASSWORD=$(cat "$PGADMIN_DEFAULT_PASSWORD_FILE")
    export PGADMIN_SETUP_EMAIL PGADMIN_SETUP_PASSWORD
    /venv/bin/python3 /run_pgadmin.py
    /venv/bin/python3 /pgadmin4/setup.py load-servers /pgadmin4/servers.json
fi
exec /venv/bin/python3 -m gunicorn --chdir / --bind "${PGADMIN_LISTEN_ADDRESS:-[::]}:80" --workers 1 --threads 25 \
    --access-logfile - run_pgadmin:app
