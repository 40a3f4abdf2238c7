# What tests/packages/run looks at, a function a promise. To be read with `.` by bash, after engine.sh.
: "${project:?}" "${scratch:?}" "${packages:?}" "${version:?}" "${bare:?}" "${suite:?}" "${label:?}"

# --- places

# Debian as debootstrap makes it: kept beside the packages for a day, because that takes most of the time.
see_to_bare_root() {
    [ ! -d "$bare" ] || return 0
    command -v debootstrap >/dev/null || install_packages debootstrap || no_engine "debootstrap could not be installed"
    local kept=$packages/bare-$suite.tar
    mkdir -p "$packages"
    if [ -z "$(find "$kept" -mtime -1 2>/dev/null)" ]; then
        say "making a bare Debian"
        debootstrap --variant=minbase "$suite" "$scratch/new" http://deb.debian.org/debian >"$scratch/log" 2>&1 ||
            { tail -n 3 "$scratch/log" >&2 && no_engine "a bare Debian could not be made"; }
        tar -C "$scratch/new" --numeric-owner -cf "$kept" . && rm -rf "$scratch/new"
    fi
    mkdir "$bare" && tar -C "$bare" --numeric-owner -xf "$kept"
    # Nothing is started there when it is installed.
    printf '#!/bin/sh\nexit 101\n' >"$bare/usr/sbin/policy-rc.d" && chmod 755 "$bare/usr/sbin/policy-rc.d"
    # Names are resolved and packages come as on this machine.
    cp /etc/resolv.conf /etc/hosts "$bare/etc/"
    mount -t proc proc "$bare/proc" && mount --bind /dev "$bare/dev" && mount -t tmpfs tmpfs "$bare/dev/shm"
}

# inside COMMAND: in the bare root's shell, with its own environment.
inside() {
    chroot "$bare" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive sh -c "$1"
}

# Every file and folder of the bare root, without what dpkg and apt note about themselves.
bare_files() {
    find "$bare" -xdev \( -path "$bare/proc" -o -path "$bare/dev" -o -path "$bare/tmp" -o -path "$bare/var/lib/dpkg" \
        -o -path "$bare/var/lib/apt" -o -path "$bare/var/cache" -o -path "$bare/var/log" \) -prune -o -print | sort
}

# The private servers of this machine, for what runs beside it; `url production` and `url warehouse` are theirs.
start_servers() {
    KALENDS_LOCAL=$scratch/servers "$1" local start --json >"$scratch/servers.json" && local_program=$1
}

url() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["url"])' "$scratch/servers.json" "$1"
}

# --- the static program

try_binary() {
    step 'packages/binary builds the archive' "$project/packages/binary"
    archive=$(find "$packages" -name "kalends-$version-$(uname -m)-*.tar.gz" | head -n 1)
    empty=$scratch/empty
    mkdir "$empty" && tar -C "$empty" --strip-components=1 -xzf "$archive"
    step 'its SHA-256 is the one beside it' sha256_is_right
    step 'it has manual pages, completions and licences' laid_out "$empty"
    step 'the program is static' is_static
    step 'it runs in an empty root' runs_in_empty_root
    step 'it finds a name in the hosts file there' finds_name_in_hosts
    step 'it finds a name by DNS there' finds_name_by_dns
    step 'it loads no module of a libc that the machine names for it' loads_no_module
    step 'it settles and publishes there, on real servers' settles_in_empty_root
    step 'packed again, it is the same bytes' packed_again
}

sha256_is_right() {
    (cd "$packages" && sha256sum --check "${archive##*/}.sha256")
}

# laid_out PREFIX [ENDING]: each command has its page, and three shells have completions.
laid_out() {
    local share=$1/share command
    for command in '' -run -verify -local; do
        [ -s "$share/man/man1/kalends$command.1${2:-}" ] || { echo "no page kalends$command" && return 1; }
    done
    grep -q "complete -F _kalends" "$share/bash-completion/completions/kalends" || return
    grep -q "^#compdef kalends" "$share"/zsh/*/_kalends || return
    grep -q "complete -c kalends" "$share/fish/vendor_completions.d/kalends.fish" || return
    grep -q 'Permission is hereby granted' "$share"/doc/kalends/{copyright,LICENSE-MIT} 2>/dev/null || return
    [ -s "$share/doc/kalends/examples/grants.sql" ] && [ -s "$share/doc/kalends/examples/systemd/kalends.timer" ]
}

is_static() {
    LC_ALL=C readelf --program-headers --dynamic "$empty/bin/kalends" >"$scratch/elf" &&
        ! grep -E 'NEEDED|INTERP' "$scratch/elf"
}

runs_in_empty_root() {
    local others
    others=$(find "$empty" -name '*.so*')
    [ -z "$others" ] || return
    [ "$(chroot "$empty" /bin/kalends --version)" = "kalends $version" ]
}

# Where nobody listens, a name that was found is refused; another is not known.
resolves() {
    env -i KALENDS_PRODUCTION_URL="postgresql://reader@$1:9/p?connect_timeout=5" \
        KALENDS_WAREHOUSE_URL="postgresql://writer@$1:9/w?connect_timeout=5" \
        "$(command -v chroot)" "$empty" /bin/kalends run 2>&1 | tee "$scratch/resolved"
    grep -qi 'connection refused' "$scratch/resolved"
}

finds_name_in_hosts() {
    mkdir -p "$empty/etc"
    ! resolves somewhere.test || return
    echo '127.0.0.1 somewhere.test' >"$empty/etc/hosts"
    resolves somewhere.test
}

# In a network of its own, where one server answers one name.
finds_name_by_dns() {
    echo 'nameserver 127.0.0.1' >"$empty/etc/resolv.conf"
    rm -f "$empty/etc/hosts"
    export -f resolves
    empty=$empty scratch=$scratch unshare --net bash -c '
        ip link set lo up
        coproc python3 "$1/tests/packages/name_server.py" known.test
        server=$COPROC_PID
        trap "kill $server" EXIT
        read -r _ <&"${COPROC[0]}"
        resolves known.test && ! resolves unknown.test' - "$project"
    local code=$?
    rm -f "$empty/etc/resolv.conf"
    return "$code"
}

# A module that ends who loads it, where each libc looks.
loads_no_module() {
    local folder
    printf '__attribute__((constructor)) static void loaded(void) { __builtin_trap(); }\n' >"$scratch/module.c"
    cc -shared -fPIC -nostdlib -o "$scratch/module.so" "$scratch/module.c" || return
    for folder in lib lib64 "lib/$(uname -m)-linux-gnu" usr/lib usr/lib64 "usr/lib/$(uname -m)-linux-gnu"; do
        install -D "$scratch/module.so" "$empty/$folder/libnss_trap.so.2"
    done
    echo 'hosts: trap files dns' >"$empty/etc/nsswitch.conf"
    echo '127.0.0.1 somewhere.test' >"$empty/etc/hosts"
    resolves somewhere.test
    local code=$?
    find "$empty" -name 'libnss_trap*' -delete && rm "$empty/etc/nsswitch.conf" "$empty/etc/hosts"
    return "$code"
}

# The servers of this machine, by their sockets, which are in the root too.
settles_in_empty_root() {
    start_servers "$empty/bin/kalends" || return
    mkdir -p "$empty/$scratch/servers" "$empty/exports" || return
    mount --bind "$scratch/servers" "$empty/$scratch/servers" || return
    local command code=0
    for command in 'simulate 2024 2' run verify; do
        # shellcheck disable=SC2086
        env -i KALENDS_PRODUCTION_URL="$(url production)" KALENDS_WAREHOUSE_URL="$(url warehouse)" \
            KALENDS_EXPORTS=/exports RANDOM_MAIN_CONTROLLER=1 \
            "$(command -v chroot)" "$empty" /bin/kalends $command || code=$?
    done
    umount "$empty/$scratch/servers"
    [ "$code" = 0 ] && [ -s "$empty/exports/year=2024/entity_stats_yearly_2024.csv" ]
}

packed_again() {
    local before
    before=$(sha256sum <"$archive")
    "$project/packages/binary" && [ "$(sha256sum <"$archive")" = "$before" ]
}

# --- the Debian package

try_deb() {
    step 'packages/deb builds the package' "$project/packages/deb"
    deb=$(find "$packages" -name "kalends_${version}_*.deb" | head -n 1)
    cp "$deb" "$bare/root/kalends.deb"
    bare_files >"$scratch/before"
    step 'it installs on a bare Debian, with what that has' inside 'dpkg --install /root/kalends.deb'
    step 'kalends --version' bare_version kalends
    step 'manual pages, completions and examples are in place' laid_out "$bare/usr" .gz
    step 'its files are what it says' inside 'dpkg --verify kalends && ! dpkg --verify kalends | grep .'
    step 'removed, nothing of it is left' nothing_is_left
    step 'man, three shells and PostgreSQL are installed' inside 'apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends man-db bash-completion zsh fish postgresql &&
        dpkg --install /root/kalends.deb'
    step 'man shows each page' man_shows
    step 'bash completes' bash_completes
    step 'zsh knows the completion' zsh_completes
    step 'fish completes' fish_completes
    step 'it settles and publishes, on its own private servers' settles_inside
    inside 'dpkg --purge kalends' >/dev/null
}

bare_version() {
    [ "$(inside "$1 --version")" = "kalends $version" ]
}

nothing_is_left() {
    inside 'dpkg --purge kalends' && bare_files | diff "$scratch/before" -
}

man_shows() {
    inside 'man kalends | grep -q "Keeps exact totals" && man kalends-run | grep -q -e --accept-loss &&
        for page in /usr/share/man/man1/kalends*; do
            man --warnings "$page" 2>&1 >/dev/null | grep . && exit 1
        done
        true'
}

bash_completes() {
    inside 'bash -c ". /usr/share/bash-completion/bash_completion; _comp_load kalends
        COMP_WORDS=(kalends ver) COMP_CWORD=1; _kalends kalends ver kalends; echo \${COMPREPLY[*]}"' | grep -x verify
}

zsh_completes() {
    inside 'zsh -f -c "autoload -U compinit; compinit -D; echo \$_comps[kalends]"' | grep -x _kalends
}

fish_completes() {
    inside "fish -c 'complete -C \"kalends ver\"'" | grep '^verify'
}

settles_inside() {
    inside 'set -e; mkdir /root/job; cd /root/job; export RANDOM_MAIN_CONTROLLER=1
        kalends local start --quiet; trap "kalends local stop --quiet" EXIT
        kalends simulate 2024 2; kalends run; kalends verify; test -s exports/year=2024/entity_stats_yearly_2024.csv'
}

# --- the wheel

try_wheel() {
    step 'packages/wheel builds the wheel' "$project/packages/wheel"
    wheel=$(find "$packages" -name "kalends-$version-*.whl" | head -n 1)
    cp "$wheel" "$project/tests/packages/module.py" "$project/tests/packages/servers.py" "$bare/root/"
    step 'a bare Debian gets Python and PostgreSQL' inside 'apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends python3-venv postgresql'
    # What Python compiles aside is not the package's, and pip leaves no folder that has nothing else.
    local files='find /root/venv -name __pycache__ -prune -o ! -type d -print | sort'
    step 'a fresh venv' inside "python3 -m venv /root/venv && $files >/root/before"
    step 'pip install, without an index' inside "/root/venv/bin/pip install --quiet --no-index /root/${wheel##*/}"
    step 'kalends --version' bare_version /root/venv/bin/kalends
    step 'manual pages, completions and examples are in place' laid_out "$bare/root/venv"
    step 'import kalends: what each command answers, as typed objects' inside \
        'mkdir /root/typed && cd /root/typed && /root/venv/bin/python /root/module.py'
    step 'uninstalled, nothing of it is left' inside "/root/venv/bin/pip uninstall --quiet --yes kalends &&
        $files >/root/after && diff /root/before /root/after"
    step 'uvx kalends, and types that a checker agrees with' uvx_and_types
}

uvx_and_types() {
    python3 -m venv "$scratch/tools" && "$scratch/tools/bin/pip" install --quiet 'uv==0.13.*' 'mypy==2.*' || return
    (cd / && UV_CACHE_DIR=$scratch/uv "$scratch/tools/bin/uvx" --from "$wheel" kalends --version) \
        >"$scratch/uvx" || return
    [ "$(cat "$scratch/uvx")" = "kalends $version" ] || return
    "$scratch/tools/bin/mypy" --strict --cache-dir "$scratch/mypy" "$project/python/kalends"
}

# --- the image

try_image() {
    image=kalends:$version
    step 'packages/image builds the image' "$project/packages/image"
    step 'kalends --version, without a network, writable files or capabilities' image_version
    step 'it has manual pages, completions, certificates and no shell' image_is_laid_out
    step 'it settles and publishes, on real servers' settles_in_container
    step 'the archive of it loads' image_loads
}

contain() {
    docker run --rm --label "$label" --network none --read-only --cap-drop ALL --security-opt no-new-privileges "$@"
}

image_version() {
    [ "$(contain "$image" --version)" = "kalends $version" ]
}

image_is_laid_out() {
    local container
    mkdir "$scratch/image"
    container=$(docker create --label "$label" "$image") || return
    docker export "$container" | tar -C "$scratch/image" -x || return
    laid_out "$scratch/image/usr" && grep -q 'BEGIN CERTIFICATE' "$scratch/image/etc/ssl/certs/ca-certificates.crt" &&
        [ ! -e "$scratch/image/bin/sh" ] && [ ! -e "$scratch/image/usr/bin/sh" ]
}

settles_in_container() {
    [ -n "$local_program" ] || start_servers "$scratch/image/usr/bin/kalends" || return
    local command owner
    # Only their own user may reach the sockets of private servers.
    owner=$(stat -c %u:%g "$scratch/servers/data/socket") || return
    install -d -o "${owner%:*}" -g "${owner#*:}" "$scratch/exports"
    for command in 'simulate 2024 3' run verify; do
        # shellcheck disable=SC2086
        contain --user "$owner" --volume "$scratch/servers:$scratch/servers" \
            --volume "$scratch/exports:/srv/kalends/exports" \
            --env KALENDS_PRODUCTION_URL="$(url production)" --env KALENDS_WAREHOUSE_URL="$(url warehouse)" \
            --env RANDOM_MAIN_CONTROLLER=1 "$image" $command || return
    done
    [ "$(stat -c %u "$scratch/exports/year=2024/entity_stats_yearly_2024.csv")" = "${owner%:*}" ]
}

image_loads() {
    docker image rm --force "$image" >/dev/null
    docker load --input "$packages/kalends-$version-image.tar.gz" && image_version
}
