# First starts that are cut short, and what was lost after them. To be read with `.` by bash, after checks.sh.
: "${project:?}" "${scratch:?}" "${clone:?}" "${name:?}"

# is_whole SERVICE: by questions of our own, not by the health check.
is_whole() {
    local found
    found=$(superuser "$1" -tA <<<"SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname IN ('kalends', 'reader');
        SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'kalends%';
        SELECT setconfig FROM pg_db_role_setting WHERE setrole = 0")
    tr '\n' ' ' <<<"$found"
    case $1 in
    production_data) [ "$found" = $'kalends,reader\n0\n{kalends.test_source=on}' ] ;;
    warehouse_data) [ "$found" = $'kalends,reader\n3' ] ;;
    esac
}

killed() {
    local service
    for service in "$@"; do docker kill "$(container "$service")" >/dev/null || return; done
}

# logged SERVICE TEXT: waits until it has said so.
logged() {
    local _
    for _ in $(seq 600); do
        ! docker logs "$(container "$1")" 2>&1 | grep -q -F "$2" || return 0
        sleep 0.1
    done
    echo "$1 did not say $2"
    return 1
}

# The second script waits for ever.
killed_between_scripts() {
    local service
    compose down --volumes >/dev/null 2>&1 || return
    echo 'echo "here it is killed"; sleep 1000' >"$scratch/wait.sh"
    cat >"$scratch/wait.yml" <<YML
services:
  production_data: {volumes: ["$scratch/wait.sh:/docker-entrypoint-initdb.d/1_wait.sh:ro"]}
  warehouse_data: {volumes: ["$scratch/wait.sh:/docker-entrypoint-initdb.d/1_wait.sh:ro"]}
YML
    compose --file docker-compose.yml --file "$scratch/wait.yml" up -d production_data warehouse_data >/dev/null 2>&1
    logged production_data 'here it is killed' && logged warehouse_data 'here it is killed' || return
    killed production_data warehouse_data || return
    compose up -d production_data warehouse_data >/dev/null 2>&1
    for service in production_data warehouse_data; do
        becomes healthy "$service" 120 && is_whole "$service" || return
    done
}

killed_in_first_start() {
    local seconds
    for seconds in 0.3 1 2 3; do
        compose rm --stop --force production_data warehouse_data >/dev/null 2>&1
        docker volume rm "${name}_production_data" "${name}_warehouse_data" >/dev/null || return
        compose up -d --no-deps production_data warehouse_data >/dev/null 2>&1
        sleep "$seconds"
        killed production_data warehouse_data
        compose up -d --no-deps production_data warehouse_data >/dev/null 2>&1
        echo "after $seconds s"
        becomes healthy production_data 60 && is_whole production_data &&
            becomes healthy warehouse_data 60 && is_whole warehouse_data || return
    done
}

# When pgAdmin's own database is there, and before the servers are in it.
killed_in_first_start_of_pg_admin() {
    local _
    compose up -d --no-deps pg_admin >/dev/null 2>&1
    for _ in $(seq 600); do
        ! docker exec "$(container pg_admin)" test -e /var/lib/pgadmin/pgadmin4.db 2>/dev/null || break
        sleep 0.1
    done
    killed pg_admin || return
    compose up -d >/dev/null 2>&1
    becomes healthy pg_admin 180 && pg_admin_connects
}

roles_are_lost() {
    superuser warehouse_data <<<'DROP ROLE reader' || return
    ! check_health warehouse_data || { echo "it says that it is healthy" && return 1; }
    becomes unhealthy warehouse_data 90 || return
    compose restart warehouse_data >/dev/null 2>&1
    becomes healthy warehouse_data 60 && is_whole warehouse_data
}

servers_are_lost() {
    docker exec "$(container pg_admin)" /venv/bin/python3 -c '
import sqlite3
with sqlite3.connect("/var/lib/pgadmin/pgadmin4.db") as stored:
    stored.execute("DELETE FROM server")' || return
    ! check_health pg_admin || { echo "it says that it is healthy" && return 1; }
    compose restart pg_admin >/dev/null 2>&1
    becomes healthy pg_admin 180 && pg_admin_connects
}
