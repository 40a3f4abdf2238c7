# What tests/compose/run looks at, a function a promise. To be read with `.` by bash, after hands.sh.
: "${project:?}" "${scratch:?}" "${clone:?}" "${name:?}" "${user:?}"
# Set by run before the first of these is called.
image=
set_up_image=

owners_are_as_before() {
    owners | diff "$scratch/owners" - | head -n 5
    return "${PIPESTATUS[1]}"
}

no_line_ends_of_windows() {
    [ "$(git -c safe.directory='*' -C "$clone" config core.autocrlf)" = true ] || return
    local found
    found=$(cd "$clone" && git -c safe.directory='*' ls-files -z | xargs -0 grep -l $'\r$')
    [ -z "$found" ] || { head -n 3 <<<"$found" && return 1; }
}

# The stage that compiles has a name of its own, so that the next run finds its layers although no untagged image stays.
image_builds() {
    (cd "$clone" && DOCKER_BUILDKIT=0 as_user docker build --target build --tag kalends-build:test .) >"$scratch/said" 2>&1 ||
        { tail -n 5 "$scratch/said" && return 1; }
    remove_untagged "$scratch/untagged"
}

no_registry_is_asked() {
    # Said in other words by each Compose; where it does ask, it says that it pulls.
    docker tag "$image" kalends-build:here 2>/dev/null && docker image rm "$image" >/dev/null
    compose up --no-build --no-deps -d data_tools >"$scratch/said" 2>&1
    docker tag kalends-build:here "$image" 2>/dev/null && docker image rm kalends-build:here >/dev/null
    ! grep -i -E 'pull(ing|ed)|denied|registry' "$scratch/said"
}

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

# What is edited is what runs: not what was there when the image was built.
script_is_the_hosts() {
    cp -p "$clone/insert_all_data.sh" "$scratch/as_it_was"
    # By another file of the same name, as editors do.
    { echo 'echo "edited on the host"; exit 0' && cat "$scratch/as_it_was"; } >"$scratch/edited"
    chmod --reference="$scratch/as_it_was" "$scratch/edited" && chown --reference="$scratch/as_it_was" "$scratch/edited"
    mv "$scratch/edited" "$clone/insert_all_data.sh"
    tools data_tools sh insert_all_data.sh
    mv "$scratch/as_it_was" "$clone/insert_all_data.sh"
    grep -x 'edited on the host' "$scratch/said"
}

# By the line that stands beside the two commands.
passwords_can_be_read() {
    local line
    line=$(sed -n 's/^    docker-compose \(exec .*\/run\/passwords\/[a-z]*\)\( .*\)\?$/\1/p' "$clone/README.md" | head -n 1)
    [ -n "$line" ] || { echo "the README has no such line" && return 1; }
    # Without a terminal here; its words are words.
    # shellcheck disable=SC2086
    compose exec -T ${line#exec } >"$scratch/secret" || return
    [ "$(wc -c <"$scratch/secret")" = 48 ]
    local code=$?
    rm -f "$scratch/secret"
    return "$code"
}

pg_admin_connects() {
    PYTHONDONTWRITEBYTECODE=1 python3 "$project/tests/compose/pg_admin.py" http://localhost:4300
}

pg_admin_is_confined() {
    docker exec "$(container pg_admin)" grep -E '^(CapBnd|CapEff|NoNewPrivs)' /proc/1/status | tee "$scratch/said" | tr '\n' ' '
    grep -q 'CapBnd:.0*$' "$scratch/said" && grep -q 'NoNewPrivs:.1' "$scratch/said"
}

# Each service's user reads what it is given, whatever the modes of the clone; and nobody the password of another.
files_are_readable() {
    local service
    for service in production_data warehouse_data pg_admin; do
        docker exec "$(container "$service")" sh -c 'for file in /run/set_up/*; do [ -s "$file" ] && cat "$file" >/dev/null || exit; done' ||
            return
    done
    docker exec --user 5050 "$(container pg_admin)" sh -c 'cat /run/passwords/pg_admin.pgpass >/dev/null && ! cat /run/passwords/superuser 2>/dev/null' &&
        tools data_tools sh -c 'cat /run/passwords/data_tools.pgpass >/dev/null &&
            ! cat /run/passwords/reader 2>/dev/null && ! cat /run/passwords/superuser 2>/dev/null &&
            for file in /usr/local/bin/*; do cat "$file" >/dev/null || exit; done' &&
        docker run --rm --user 65534 --entrypoint sh "$set_up_image" -c 'cat /usr/local/bin/set_up /usr/local/lib/kalends/* >/dev/null' &&
        docker run --rm --user 65534 --entrypoint sh "$image" -c 'cat insert_all_data.sh scripts/* >/dev/null && kalends --version'
}

databases_are_in_en_us() {
    local found
    found=$(for service in production_data warehouse_data; do
        superuser "$service" -tA <<<"SELECT datname, datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = '$service'"
    done)
    echo "$found"
    [ "$found" = $'production_data|en_US.utf8|UTF8\nwarehouse_data|en_US.utf8|UTF8' ]
}

image_is_fine() {
    local bytes base who found
    bytes=$(docker image inspect --format '{{.Size}}' "$image") || return
    base=$(docker image inspect --format '{{.Size}}' "$(sed -n 's/^FROM \([^ ]*debian:[^ ]*\)$/\1/p' "$clone/Dockerfile")")
    who=$(docker image inspect --format '{{.Config.User}}' "$image")
    found=$(docker run --rm --entrypoint sh "$image" -c \
        'for name in cc gcc ld cargo rustc apt-key curl wget; do command -v "$name"; done; :')
    echo "$((bytes / 1000000)) MB, of which the base $((base / 1000000)) MB; user $who; compilers: ${found:-none}"
    [ "$who" = 10001 ] && [ -z "$found" ] && [ $((bytes - base)) -lt 30000000 ] || return
    docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none "$image" \
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
        cat "$clone"/{docker-compose.yml,Dockerfile,.env.example}
        find "$clone/docker" -type f -exec cat {} +
        for service in production_data warehouse_data pg_admin data_tools; do docker logs "$(container "$service")"; done
    } >"$seen" 2>&1
    wait $!
    local count=0
    for secret in superuser kalends reader pg_admin; do
        docker run --rm --user root --entrypoint cat --volume "${name}_passwords:/p:ro" "$image" \
            "/p/$secret" >"$scratch/secret" || return
        [ "$(wc -c <"$scratch/secret")" = 48 ] || { echo "$secret is not 48 characters" && return 1; }
        ! grep -q -F -f "$scratch/secret" "$seen" || { echo "$secret shows" && return 1; }
        count=$((count + 1))
    done
    rm -f "$scratch/secret"
    echo "$count passwords, in none of $(wc -l <"$seen") lines"
}

published() {
    docker ps --filter "label=com.docker.compose.project=$name" --format '{{.Ports}}' | tr ',' '\n' |
        sed -n 's/^ *\(.*\)->.*/\1/p' | sort
}

ports_are_as_asked() {
    [ "$(published)" = 127.0.0.1:4300 ] || { published && return 1; }
    # By .env.example's own lines.
    sed -n 's/^#= \(COMPOSE_FILE=\|PG_ADMIN_ADDRESS=\)/\1/p' "$clone/.env.example" >"$clone/.env"
    chown --reference="$clone" "$clone/.env"
    compose up -d production_data warehouse_data pg_admin >/dev/null 2>&1
    published | tr '\n' ' '
    [ "$(published)" = $'0.0.0.0:4300\n127.0.0.1:5433\n127.0.0.1:5434' ]
    local code=$?
    rm "$clone/.env"
    compose up -d >/dev/null 2>&1 && all_healthy production_data warehouse_data pg_admin >/dev/null && return "$code"
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

# in_user_namespace MAPS FOLDER CAPABILITIES COMMAND...: in its image, as root of a user namespace with these maps
# (inner:outer:count ...).
in_user_namespace() {
    local map options=() folder=$2 capabilities=$3 image=$image
    [ "$4" != set_up ] || image=$set_up_image
    for map in $1; do options+=("--map-users=$map" "--map-groups=$map"); done
    shift 3
    docker run --rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined --network none --volume "$folder/exports:/exports" --volume "$folder/exports:/srv/kalends/exports" \
        --volume "$folder/docker-compose.yml:/docker-compose.yml:ro" --volume "$folder/passwords:/run/passwords" \
        --volume "$folder/set_up:/run/set_up" --user 0:0 --entrypoint unshare "$image" \
        --user "${options[@]}" --setuid 0 --setgid 0 -- setpriv --bounding-set "-all,$capabilities" "$@" >"$scratch/said" 2>&1
    local code=$?
    head -n 3 "$scratch/said"
    return "$code"
}

# stage OWNER_OF_EXPORTS ROOT: a folder for in_user_namespace, with the engine's volumes as the namespace's root has
# them.
stage() {
    rm -rf "$scratch/stage"
    mkdir -p "$scratch/stage"/{exports,passwords,set_up}
    cp -p "$clone/docker-compose.yml" "$scratch/stage/"
    chown "$1:$1" "$scratch/stage/exports" && chown "$2:$2" "$scratch/stage"/{passwords,set_up}
}

exports_under_userns_remap() {
    local map=0:100000:65536 folder=$scratch/stage
    [ "$(id -u)" = 0 ] || { echo "only root can try it" && return; }
    stage "$user" 100000
    ! in_user_namespace $map "$folder" +chown set_up && grep -q 'sudo chown -R 100000:100000 exports' "$scratch/said" || return
    # As it says; and as it is where the engine made the folder.
    chown 100000:100000 "$folder/exports"
    in_user_namespace $map "$folder" +chown set_up && in_user_namespace $map "$folder" +setuid,+setgid as_owner sh -c '>exports/file' || return
    [ "$(stat -c %u "$folder/passwords/data_tools.pgpass" "$folder/exports/file" | sort -u)" = 100000 ]
}

exports_of_a_rootless_engine() {
    local folder=$scratch/stage
    [ "$(id -u)" = 0 ] || { echo "only root can try it" && return; }
    stage "$user" "$user"
    in_user_namespace "0:$user:1 1:100000:65535" "$folder" +chown set_up &&
        in_user_namespace "0:$user:1 1:100000:65535" "$folder" +setuid,+setgid as_owner sh -c '>exports/file' || return
    stat -c '%u %n' "$folder/exports/file" "$folder/passwords/data_tools.pgpass" "$folder/passwords/reader"
    [ "$(stat -c %u "$folder/exports/file" "$folder/passwords/data_tools.pgpass" "$folder/passwords/reader" | tr '\n' ' ')" = "$user $user 100998 " ]
}

no_untagged_image() {
    remove_untagged "$scratch/untagged"
    ! untagged | comm -13 "$scratch/untagged" - | grep .
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
