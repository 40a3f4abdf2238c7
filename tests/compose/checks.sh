# What tests/compose/run looks at, a function a promise. To be read with `.` by bash, after hands.sh.
: "${project:?}" "${scratch:?}" "${clone:?}" "${name:?}" "${user:?}"

all_healthy() {
    local service
    for service in "$@"; do
        becomes healthy "$service" 180 || return
    done
    docker ps --filter "label=com.docker.compose.project=$name" --format '{{.Names}}: {{.Status}}'
}

# As it is typed, on a terminal.
main_job() {
    local line="docker-compose run --rm data_tools sh insert_all_data.sh"
    case $compose in
    compose_1) line="docker-compose run --rm data_tools sh insert_all_data.sh" ;;
    compose_plugin) line="docker compose run --rm data_tools sh insert_all_data.sh" ;;
    # The terminal ends at the container that holds Compose.
    *) tools data_tools sh insert_all_data.sh && tail -n 3 "$scratch/said" && return ;;
    esac
    as_user script --quiet --return --command "$line" /dev/null </dev/null >"$scratch/said" 2>&1
    local code=$?
    tail -n 3 "$scratch/said"
    return "$code"
}

# figures YEAR CONTROLLER: of this year alone; the folder may hold others.
figures() {
    rm -rf "$scratch/year"
    mkdir "$scratch/year"
    cp -R "$clone/exports/year=$1" "$clone/exports/_manifest.json" "$scratch/year/" || return
    PYTHONDONTWRITEBYTECODE=1 python3 "$project/tests/year_figures.py" "$1" "$2" "$scratch/year"
}

files_are_the_users() {
    local others
    others=$(find "$clone/exports" ! -uid "$user" -printf '%u %p\n')
    [ -z "$others" ] || { head -n 3 <<<"$others" && return 1; }
    echo "$(find "$clone/exports" | wc -l) files and folders of user $user"
}

# One line a file: inode, time of change, path, bytes.
files() {
    find "$clone/exports" -type f -exec stat -c '%i %y %n' {} + -exec sha256sum {} + | sort
}

main_job_again() {
    files >"$scratch/before"
    tools data_tools sh insert_all_data.sh || return
    files >"$scratch/after"
    diff "$scratch/before" "$scratch/after" && echo "$(find "$clone/exports" -type f | wc -l) files are untouched"
}

pg_admin_connects() {
    PYTHONDONTWRITEBYTECODE=1 python3 "$project/tests/compose/pg_admin.py" http://0.0.0.0:4300
}

image_is_fine() {
    local bytes base who found
    bytes=$(docker image inspect --format '{{.Size}}' kalends:0.1.0) || return
    base=$(docker image inspect --format '{{.Size}}' "$(sed -n 's/^FROM \(debian:[^ ]*\)$/\1/p' "$clone/Dockerfile")")
    who=$(docker image inspect --format '{{.Config.User}}' kalends:0.1.0)
    found=$(docker run --rm --entrypoint sh kalends:0.1.0 -c \
        'for name in cc gcc ld cargo rustc apt-key curl wget; do command -v "$name"; done; :')
    echo "$((bytes / 1000000)) MB, of which the base $((base / 1000000)) MB; user $who; compilers: ${found:-none}"
    [ "$who" = 10001 ] && [ -z "$found" ] && [ $((bytes - base)) -lt 30000000 ] || return
    docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none kalends:0.1.0 \
        kalends --version
}

# Each password, looked for wherever somebody else could see it.
no_password_shows() {
    local secret seen=$scratch/seen
    compose run --rm -T data_tools sh -c 'sleep 5' >/dev/null 2>&1 &
    sleep 3
    {
        ps -ww -e -o args
        docker ps --all --quiet | xargs docker inspect
        docker image ls --quiet | sort -u | xargs -n 1 docker history --no-trunc
        compose config
        docker-compose version
        cat "$clone"/{docker-compose.yml,Dockerfile,.env.example} "$clone"/docker/*
        for service in production_data warehouse_data pg_admin data_tools; do docker logs "$(container "$service")"; done
    } >"$seen" 2>&1
    wait $!
    local count=0
    for secret in superuser kalends reader pg_admin; do
        docker run --rm --user root --entrypoint cat --volume "${name}_passwords:/p:ro" postgres:17.12-trixie \
            "/p/$secret" >"$scratch/secret" || return
        [ "$(wc -c <"$scratch/secret")" = 48 ] || { echo "$secret is not 48 characters" && return 1; }
        ! grep -q -F -f "$scratch/secret" "$seen" || { echo "$secret shows" && return 1; }
        count=$((count + 1))
    done
    rm -f "$scratch/secret"
    echo "$count passwords, in none of $(wc -l <"$seen") lines"
}

ports_are_local() {
    local found
    found=$(docker ps --filter "label=com.docker.compose.project=$name" --format '{{.Ports}}' | tr ',' '\n' |
        sed -n 's/^ *\(.*\)->.*/\1/p' | sort)
    [ "$found" = $'0.0.0.0:4300\n127.0.0.1:5433\n127.0.0.1:5434' ] || { echo "$found" && return 1; }
    tr '\n' ' ' <<<"$found"
}

tools_are_confined() {
    tools data_tools sh -c 'id -u && grep -E "^(CapPrm|CapEff|NoNewPrivs)" /proc/self/status &&
        ! touch /srv/kalends/x 2>/dev/null && ! touch /usr/x 2>/dev/null' || return
    tr '\n' ' ' <"$scratch/said"
    grep -q -x "$user" "$scratch/said" && grep -q 'CapEff:.0000000000000000' "$scratch/said" &&
        grep -q 'NoNewPrivs:.1' "$scratch/said" || return
    # Named by KALENDS_USER, the tools have no capability from their first step on.
    KALENDS_USER=$user:$user tools data_tools sh -c 'grep CapEff /proc/1/status' &&
        grep -q 'CapEff:.0000000000000000' "$scratch/said"
}

another_year() {
    tools -e RANDOM_MAIN_CONTROLLER=1 -e YEAR=2024 data_tools sh insert_all_data.sh && figures 2024 1
}

# in_background YEAR: the main job of a year.
in_background() {
    tools -e "YEAR=$1" -e RANDOM_MAIN_CONTROLLER=100 data_tools sh insert_all_data.sh >"$scratch/ended" 2>&1 &
    job=$!
}

again() {
    tools -e "YEAR=$1" data_tools sh insert_all_data.sh && figures "$1" 100 && tools data_tools kalends verify &&
        tail -n 1 "$scratch/said"
}

killed_half_way() {
    in_background "$1"
    appears "year=$1/month=5" && docker kill "$(one_off)" >/dev/null || return
    wait "$job"
    local code=$?
    echo "killed in month $(find "$clone/exports/year=$1" -maxdepth 1 -name 'month=*' | wc -l), ended with $code"
    [ "$code" != 0 ] && [ ! -e "$clone/exports/year=$1/month=12" ] && again "$1"
}

database_restarts() {
    in_background "$2"
    appears "year=$2/month=4" && compose restart "$1" >/dev/null 2>&1 || return
    wait "$job"
    echo "ended with $?: $(tail -n 3 "$scratch/said" | tr '\n' ' ')"
    becomes healthy "$1" 60 && again "$2"
}

exports_made_by_engine() {
    rm -rf "$clone/exports"
    tools data_tools kalends export && files_are_the_users && figures 2023 100 || return
    # The toolbox still holds the folder that is gone.
    compose restart --timeout 1 data_tools >/dev/null 2>&1
}

health_tells() {
    local day=year=2023/month=2/day=3
    docker exec "$(container data_tools)" as_owner health || return
    rm -r "${clone:?}/exports/$day"
    ! docker exec "$(container data_tools)" as_owner health || return
    tools data_tools kalends export && docker exec "$(container data_tools)" as_owner health || return
    compose stop warehouse_data >/dev/null 2>&1
    ! docker exec "$(container data_tools)" as_owner health 2>&1 || return
    becomes unhealthy data_tools 300 || return
    compose start warehouse_data >/dev/null 2>&1
    becomes healthy warehouse_data 60 && becomes healthy data_tools 90
}

schedule_tells() {
    KALENDS_EVERY_SECONDS=2 compose --profile schedule up -d schedule >/dev/null 2>&1 || return
    becomes healthy schedule 90 || return
    docker exec "$(container schedule)" as_owner health || return
    compose stop production_data >/dev/null 2>&1
    sleep 15
    ! docker exec "$(container schedule)" as_owner health || return
    compose start production_data >/dev/null 2>&1
    becomes healthy production_data 60 && sleep 15 && docker exec "$(container schedule)" as_owner health || return
    # What follows wants nobody else at work.
    compose --profile schedule rm --stop --force schedule >/dev/null 2>&1
}

dependencies_are_cached() {
    echo '// A change.' >>"$clone/src/main.rs"
    compose build data_tools >"$scratch/said" 2>&1 || { tail -n 5 "$scratch/said" && return 1; }
    # The classic builder says "Using cache", BuildKit "CACHED".
    grep -A 3 'mkdir -p src tests/it' "$scratch/said" | grep -q -i cache
}

down_leaves_nothing() {
    compose --profile schedule down --volumes --remove-orphans >/dev/null 2>&1 || return
    local left
    left=$(
        docker ps --all --filter "label=com.docker.compose.project=$name" --format 'container {{.Names}}'
        docker volume ls --filter "label=com.docker.compose.project=$name" --format 'volume {{.Name}}'
        docker network ls --filter "label=com.docker.compose.project=$name" --format 'network {{.Name}}'
    )
    [ -z "$left" ] || { echo "$left" && return 1; }
}
