# What tests/compose/run does: docker-compose as an ordinary user, in one version or the other. To be read with `.` by
# bash.
: "${project:?}" "${scratch:?}" "${clone:?}" "${name:?}"
# The images that are built here; set by run.
own=()

# step NAME COMMAND...: runs it and counts how it ended.
step() {
    local what=$1 started=$SECONDS
    shift
    printf '\n== %s\n' "$what"
    # Whoever stops the checks before their end has to know since when this one goes on, and what has failed.
    [ -z "${CHECKS_BEGUN:-}" ] || touch "$CHECKS_BEGUN"
    if "$@"; then
        passed=$((passed + 1))
        printf 'ok, %s s\n' $((SECONDS - started))
    else
        failed=$((failed + 1))
        [ -z "${CHECKS_BEGUN:-}" ] || echo "$what" >>"$CHECKS_BEGUN"
        printf 'FAILED: %s\n' "$what"
    fi
}

# The host's user: whoever runs this, and somebody without rights where that is root.
user=$(id -u)
[ "$user" != 0 ] || user=4321
socket=/var/run/docker.sock

as_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid="$user" --regid="$user" --groups="$(stat -c %g "$socket")" \
            env -C "$clone" HOME="$scratch/home" "$@"
    else
        env -C "$clone" "$@"
    fi
}

compose_1() {
    as_user docker-compose "$@"
}

compose_plugin() {
    as_user docker compose "$@"
}

# Debian's package of v2, in a container, where this machine has only 1.29.
compose_2() {
    local terminal=()
    [ ! -t 0 ] || terminal=(--tty)
    docker run --rm --interactive "${terminal[@]}" --network none --user "$user:$user" \
        --group-add "$(stat -c %g "$socket")" --env HOME="$scratch/home" --volume "$socket:$socket" \
        --volume "$scratch:$scratch" --workdir "$clone" kalends-compose-v2:test docker compose "$@"
}

composes=()
see_to_compose() {
    if ! command -v docker-compose >/dev/null && ! docker compose version >/dev/null 2>&1; then
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || no_engine "there is no docker-compose"
        install_packages docker-compose ||
            no_engine "docker-compose could not be installed"
    fi
    ! command -v docker-compose >/dev/null || composes+=(compose_1)
    if docker compose version >/dev/null 2>&1; then
        composes+=(compose_plugin)
    elif [ "$(id -u)" = 0 ] && "$project/tests/compose/stand_ins/build" kalends-compose-v2:test; then
        composes+=(compose_2)
    else
        say "Compose v2 is not here and could not be had: not tried with it"
    fi
    compose=${composes[0]}
}

compose() {
    "$compose" "$@" </dev/null
}

# As a careful user has it, whose files are nobody else's to read, and with the line ends that Git for Windows asks for.
# --no-hardlinks: what is the user's in the clone must not become the user's in the project's own .git.
make_clone() {
    (
        umask "${CLONE_UMASK:-077}"
        git clone --quiet --no-hardlinks --config "core.autocrlf=${CLONE_AUTOCRLF:-true}" "$project" "$clone"
        mkdir "$scratch/home"
    )
    [ "$(id -u)" != 0 ] || chown -R "$user:$user" "$clone" "$scratch/home"
}

# owners: of each file of the project's own .git.
owners() {
    find "$(git -C "$project" rev-parse --path-format=absolute --git-common-dir)" -printf '%u:%g %m %p\n' | sort
}

# What there is under the images' names is somebody's: set aside, and put back by put_images_back. `up` has to build, as
# on a new machine.
set_images_aside() {
    local image
    untagged >"$scratch/untagged"
    for image in "${own[@]}"; do
        ! docker tag "$image" "kalends-set-aside:$$-${image//[^a-z0-9.]/-}" 2>/dev/null || docker image rm "$image" >/dev/null
    done
}

put_images_back() {
    local image aside
    for image in "${own[@]}"; do
        aside=kalends-set-aside:$$-${image//[^a-z0-9.]/-}
        docker image rm --force "$image"
        docker tag "$aside" "$image" && docker image rm "$aside"
    done
    remove_untagged "$scratch/untagged"
} >/dev/null 2>&1

# tools ARGUMENTS...: docker-compose run --rm ARGUMENTS..., saying what it said where it fails.
tools() {
    compose run --rm -T "$@" >"$scratch/said" 2>&1 || {
        local code=$?
        tail -n 5 "$scratch/said"
        return "$code"
    }
}

container() {
    docker ps --quiet --filter "label=com.docker.compose.project=$name" \
        --filter "label=com.docker.compose.service=$1" --filter 'label=com.docker.compose.oneoff=False'
}

# Of `docker-compose run`, while it runs.
one_off() {
    docker ps --quiet --filter "label=com.docker.compose.project=$name" --filter 'label=com.docker.compose.oneoff=True'
}

# check_health SERVICE: runs its health check now, as the engine does.
check_health() {
    local test
    mapfile -d '' -t test < <(docker inspect --format '{{json .Config.Healthcheck.Test}}' "$(container "$1")" | python3 -c '
import json, sys
kind, *words = json.load(sys.stdin)
print("\0".join(["sh", "-c", *words] if kind == "CMD-SHELL" else words), end="\0")')
    docker exec "$(container "$1")" "${test[@]}"
}

health() {
    docker inspect --format '{{.State.Health.Status}}' "$(container "$1")" 2>/dev/null
}

# becomes HEALTH SERVICE SECONDS
becomes() {
    local _
    for _ in $(seq "$3"); do
        [ "$(health "$2")" != "$1" ] || return 0
        sleep 1
    done
    echo "$2 is $(health "$2") after $3 s: $(docker inspect --format \
        '{{range .State.Health.Log}}{{.Output}}{{end}}' "$(container "$2")" | tail -n 3)"
    return 1
}

# appears FILE: waits until the job has come so far.
appears() {
    local _
    for _ in $(seq 1200); do
        [ ! -e "$clone/exports/$1" ] || return 0
        sleep 0.05
    done
    echo "$1 did not appear"
    return 1
}
