# A container engine: the one that runs, or one that is installed and started here. To be read with `.` by bash,
# with `project` and `scratch` set to folders and a function `say`.
: "${project:?}" "${scratch:?}"

# Ended by 77 where there is none: not checked is neither passed nor failed.
no_engine() {
    printf 'not checked: %s\n' "$*" >&2
    exit 77
}

# see_to_engine: returns when `docker` answers; ends the script where it cannot.
see_to_engine() {
    docker version >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] || no_engine "no container engine answers, and only root may start one"
    if ! command -v dockerd >/dev/null; then
        command -v apt-get >/dev/null || no_engine "there is no container engine, and no apt-get to install one"
        say "installing docker.io"
        apt-get update -qq >/dev/null 2>&1
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null 2>&1 ||
            no_engine "docker.io could not be installed"
        # What the package started, if anything, is as good as ours.
        docker version >/dev/null 2>&1 && return
    fi
    say "starting dockerd"
    dockerd >"$scratch/dockerd.log" 2>&1 &
    engine=$!
    for _ in $(seq 60); do
        docker version >/dev/null 2>&1 && return
        kill -0 "$engine" 2>/dev/null || break
        sleep 1
    done
    tail -n 5 "$scratch/dockerd.log" >&2
    no_engine "dockerd did not start"
}

# Stops the engine that was started here, by its process id.
leave_engine() {
    [ -z "${engine:-}" ] || { kill "$engine" && wait "$engine"; } 2>/dev/null || :
}

# see_to_images IMAGE...: pulls what is missing; where no registry answers, builds stand-ins under the same tags.
see_to_images() {
    local image missing=()
    for image in "$@"; do
        docker image inspect "$image" >/dev/null 2>&1 || missing+=("$image")
    done
    for image in "${missing[@]}"; do
        timeout 300 docker pull --quiet "$image" >/dev/null 2>"$scratch/pull" && continue
        say "$image could not be pulled: $(tail -n 1 "$scratch/pull")"
        [ "$(id -u)" = 0 ] || no_engine "images cannot be pulled, and only root can build stand-ins for them"
        "$project/tests/compose/stand_ins/build" "${missing[@]}" || no_engine "the stand-ins could not be built"
        return
    done
}
