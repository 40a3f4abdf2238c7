#!/usr/bin/env bash
# In words of our own, what the official image's entry point does where docker-compose.yml can notice. ../README.md
# lists it. Like the official one it does not end at the first command that fails: what cannot be read is passed over.

python=/venv/bin/python3

# status NAME: of the process, as the kernel has it.
status() {
    sed -n "s/^$1:[[:space:]]*//p" /proc/self/status
}

# Where the kernel gives no capability to a program, the port has to be one that everybody may listen on.
restricted=
[ "$(status NoNewPrivs)" != 1 ] || restricted=yes
((0x$(status CapBnd) & 1 << 10)) || restricted=yes
serving=/venv/bin/python3-cap
if [ -n "$restricted" ]; then
    serving=$python
    if [ -z "$PGADMIN_LISTEN_PORT" ]; then
        export PGADMIN_LISTEN_PORT=8080
        [ -z "$PGADMIN_ENABLE_TLS" ] || PGADMIN_LISTEN_PORT=8443
        echo "no capabilities here: PGADMIN_LISTEN_PORT is $PGADMIN_LISTEN_PORT"
    fi
fi

if [ -n "$PGADMIN_DEFAULT_PASSWORD_FILE" ]; then
    if [ -n "$PGADMIN_DEFAULT_PASSWORD" ]; then
        echo "error: PGADMIN_DEFAULT_PASSWORD and PGADMIN_DEFAULT_PASSWORD_FILE exclude each other" >&2
        exit 1
    fi
    if [ ! -r "$PGADMIN_DEFAULT_PASSWORD_FILE" ]; then
        echo "error: PGADMIN_DEFAULT_PASSWORD_FILE: $PGADMIN_DEFAULT_PASSWORD_FILE cannot be read" >&2
        exit 1
    fi
    PGADMIN_DEFAULT_PASSWORD=$(<"$PGADMIN_DEFAULT_PASSWORD_FILE")
    unset PGADMIN_DEFAULT_PASSWORD_FILE
fi

# PGADMIN_CONFIG_NAME=value, with value in Python's words, becomes NAME = value: at the container's first start alone.
distro=${PGADMIN_CUSTOM_CONFIG_DISTRO_FILE:-/pgadmin4/config_distro.py}
export CONFIG_DISTRO_FILE_PATH=$distro
if [ ! -s "$distro" ]; then
    {
        echo "LOG_FILE = '/dev/null'"
        env | sed -n 's/^PGADMIN_CONFIG_\([A-Z_]*\)=\(.*\)/\1 = \2/p' | sed 's/= true$/= True/; s/= false$/= False/'
    } >"$distro"
fi

load_servers() {
    local file=${PGADMIN_SERVER_JSON_FILE:-/pgadmin4/servers.json} options=()
    [ "$PGADMIN_REPLACE_SERVERS_ON_STARTUP" != True ] || options+=(--replace)
    [ "$PGADMIN_CONFIG_SERVER_MODE" = False ] || options+=(--user "$PGADMIN_DEFAULT_EMAIL")
    [ ! -f "$file" ] || $python /pgadmin4/setup.py load-servers "$file" "${options[@]}"
}

cd /pgadmin4 || exit
if [ ! -f /var/lib/pgadmin/pgadmin4.db ]; then
    if [ -z "$PGADMIN_DEFAULT_EMAIL" ] || [ -z "$PGADMIN_DEFAULT_PASSWORD" ]; then
        echo "PGADMIN_DEFAULT_EMAIL and PGADMIN_DEFAULT_PASSWORD are asked for" >&2
        exit 1
    fi
    # pgAdmin takes its first user from these, and asks on a terminal where they are missing.
    export PGADMIN_SETUP_EMAIL=$PGADMIN_DEFAULT_EMAIL PGADMIN_SETUP_PASSWORD=$PGADMIN_DEFAULT_PASSWORD
    $python run_pgadmin.py
    load_servers
    if [ -n "$PGPASS_FILE" ] && [ -f "$PGPASS_FILE" ] && [ "$PGADMIN_CONFIG_SERVER_MODE" = False ]; then
        cp "$PGPASS_FILE" /var/lib/pgadmin/.pgpass
        chmod 600 /var/lib/pgadmin/.pgpass
    fi
elif [ "$PGADMIN_REPLACE_SERVERS_ON_STARTUP" = True ]; then
    load_servers
fi

exec $serving /venv/bin/gunicorn --bind "${PGADMIN_LISTEN_ADDRESS:-[::]}:${PGADMIN_LISTEN_PORT:-80}" --workers 1 \
    --threads "${GUNICORN_THREADS:-25}" --timeout 86400 --access-logfile "${GUNICORN_ACCESS_LOGFILE:--}" \
    --config gunicorn_config.py run_pgadmin:app
