# A container engine: the one that runs, or one that is installed and started here. To be read with `.` by bash,
# with `project` and `scratch` set to folders and a function `say`.
: "${project:?}" "${scratch:?}"

# Ended by 77 where there is none: not checked is neither passed nor failed.
no_engine() {
    printf 'not checked: %s\n' "$*" >&2
    exit 77
}

# From here on a failure is ours. Whoever started the script and wants to know names a file.
begin_checks() {
    [ -z "${CHECKS_BEGUN:-}" ] || : >"$CHECKS_BEGUN"
}

# brief COMMAND...: for what an engine answers at once, so that one that hangs holds nobody up. In the foreground, so
# that whoever stops this script stops the command too.
brief() {
    timeout --foreground --kill-after=5 20 "$@"
}

answers() {
    command -v docker >/dev/null && brief docker version >/dev/null 2>&1
}

# install_packages PACKAGE...: by apt-get, and with its last words where it fails.
install_packages() {
    local apt=(apt-get -qq -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30)
    {
        "${apt[@]}" update
        DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "$@"
    } >"$scratch/apt" 2>&1 </dev/null || { tail -n 3 "$scratch/apt" >&2 && return 1; }
}

# see_to_engine: returns when `docker` answers; ends the script where it cannot.
see_to_engine() {
    answers && return
    [ "$(id -u)" = 0 ] || no_engine "no container engine answers, and only root may start one"
    if ! command -v dockerd >/dev/null; then
        command -v apt-get >/dev/null || no_engine "there is no container engine, and no apt-get to install one"
        say "installing docker.io"
        install_packages docker.io iptables ||
            no_engine "docker.io could not be installed"
        # What the package started, if anything, is as good as ours.
        answers && return
    fi
    start_engine || { tail -n 5 "$scratch/dockerd.log" >&2 && no_engine "dockerd did not start"; }
}

start_engine() {
    local _
    say "starting dockerd"
    # In a session of its own: a signal to this script's group must not stop it before its containers are taken down.
    setsid dockerd >"$scratch/dockerd.log" 2>&1 &
    engine=$!
    for _ in $(seq 60); do
        answers && return
        kill -0 "$engine" 2>/dev/null || break
        sleep 1
    done
    kill -KILL "$engine" 2>/dev/null
    engine=''
    return 1
}

# leave_engine LABEL: removes what carries this label, then stops the engine if it was started here, by its process id.
leave_engine() {
    if ! answers; then
        [ -n "${engine:-}" ] || return
        # It hangs, or is gone, and its containers live on: another one knows them. It wants the containerd of the first
        # to be gone as well, which takes a moment longer.
        kill -KILL "$engine" && wait "$engine"
        sleep 3
        start_engine
    fi 2>/dev/null
    {
        brief docker ps --all --quiet --filter "label=$1" | xargs --no-run-if-empty timeout 60 docker rm --force --volumes
        brief docker volume ls --quiet --filter "label=$1" | xargs --no-run-if-empty timeout 30 docker volume rm --force
        brief docker network ls --quiet --filter "label=$1" | xargs --no-run-if-empty timeout 30 docker network rm
        [ -z "${engine:-}" ] || stop_engine
    } >/dev/null 2>&1
}

stop_engine() {
    local _
    kill "$engine" || return
    for _ in $(seq 20); do
        kill -0 "$engine" || return
        sleep 1
    done
    kill -KILL "$engine"
}

# see_to_images IMAGE...: pulls what is missing; where no registry answers, builds stand-ins under the same tags. One
# that is there already is built anew where its files have changed.
see_to_images() {
    local image is stand_ins=()
    for image in "$@"; do
        is=$(docker image inspect --format '{{index .Config.Labels "kalends.stand_in"}}' "$image" 2>/dev/null) || is=missing
        [ -n "$is" ] || continue
        [ "$is" != missing ] || [ "${#stand_ins[@]}" -gt 0 ] || {
            timeout --foreground 300 docker pull --quiet "$image" >/dev/null 2>"$scratch/pull" && continue
            say "$image could not be pulled: $(tail -n 1 "$scratch/pull")"
        }
        stand_ins+=("$image")
    done
    [ "${#stand_ins[@]}" -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || no_engine "images cannot be pulled, and only root can build stand-ins for them"
    "$project/tests/compose/stand_ins/build" "${stand_ins[@]}" || no_engine "the stand-ins could not be built"
}

# untagged: the images that have no name.
untagged() {
    docker image ls --quiet --filter dangling=true | sort
}

# remove_untagged FILE: those that FILE, an answer of `untagged`, does not have.
remove_untagged() {
    untagged | comm -13 "$1" - | xargs --no-run-if-empty docker image rm --force >/dev/null 2>&1
}
