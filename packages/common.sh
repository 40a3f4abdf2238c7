# What the scripts of packages/ share. To be read with `.` by bash, on Linux and macOS; sets, among others, `packages`,
# the folder that they write to. PROFILE=dev builds what is quick to build, for trying.
#
# Who builds the same commit with the same compiler in the same folder gets the same bytes.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$project" || exit 1
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
profile=${PROFILE:-release}
packages=$project/target/packages
built=${CARGO_TARGET_DIR:-$project/target}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$packages" "$built"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory='*' log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

say() {
    printf '%s: %s\n' "packages/${0##*/}" "$*" >&2
}

# build [OPTION...]: sets `program`. The options are those of `cargo rustc`.
build() {
    local folder=$profile
    [ "$profile" != dev ] || folder=debug
    [ "${1:-}" != --target ] || folder=$2/$folder
    # Object stores are too heavy for everybody who builds it, and too useful to lack.
    cargo rustc --quiet --locked --profile "$profile" --features stores --bin kalends "$@"
    program=$built/$folder/kalends
}

# build_static [TARGET]: for this machine's processor; sets `program` and `flavour`. With musl where that target is
# installed, else with glibc. On macOS there are no static programs: it is what is built there.
build_static() {
    local machine target
    machine=$(uname -m | sed s/arm64/aarch64/)
    if [ "$(uname -s)" = Darwin ]; then
        target=${1:-$machine-apple-darwin}
    elif [ -d "$(rustc --print sysroot)/lib/rustlib/$machine-unknown-linux-musl" ]; then
        target=${1:-$machine-unknown-linux-musl}
    else
        target=${1:-$machine-unknown-linux-gnu}
    fi
    flavour=$target
    case $target in
    *-linux-gnu)
        flavour=$target-static
        cc -O2 -c -o "$built/static_names.o" packages/static_names.c
        RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" \
            build --target "$target" -- -C "link-arg=$built/static_names.o"
        ;;
    *) build --target "$target" ;;
    esac
    case $target in
    *-linux-*)
        # A static program asks for no loader.
        if LC_ALL=C readelf --program-headers "$program" | grep -q INTERP; then
            say "$program is not static"
            return 1
        fi
        ;;
    esac
}

# lay_out PROGRAM PREFIX: the program, its manual pages and completions, settings, rights, examples and licences, where
# a prefix such as /usr/local has them.
lay_out() {
    local program=$1 prefix=$2 share=$2/share command
    mkdir -p "$prefix/bin" "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
        "$share/fish/vendor_completions.d" "$share/doc/kalends/examples"
    install -m 755 "$program" "$prefix/bin/kalends"
    # As the release profile does it; names of functions stay, for the line of a panic.
    strip -S "$prefix/bin/kalends"
    "$program" completions bash >"$share/bash-completion/completions/kalends"
    "$program" completions zsh >"$share/zsh/site-functions/_kalends"
    "$program" completions fish >"$share/fish/vendor_completions.d/kalends.fish"
    "$program" man >"$share/man/man1/kalends.1"
    "$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' | grep -v '^help$' |
        while read -r command; do "$program" man "$command" >"$share/man/man1/kalends-$command.1"; done
    install -m 644 README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$share/doc/kalends"
    install -m 644 kalends.example.toml docs/grants.sql "$share/doc/kalends/examples"
    cp -R examples/airflow examples/dagster examples/kubernetes examples/systemd "$share/doc/kalends/examples"
    chmod -R u=rwX,go=rX "$prefix"
}

# tarred FOLDER NAME...: a tar archive on stdout. Times, owners and order are those of the commit and not of whoever
# builds it, where this is GNU tar.
tarred() {
    local same=()
    if tar --version 2>/dev/null | grep -q 'GNU tar'; then
        same=(--sort=name "--mtime=@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner)
    fi
    tar "${same[@]+"${same[@]}"}" -C "$1" -cf - "${@:2}"
}

# summed FILE: writes its SHA-256 beside it, and says it.
summed() {
    (cd "$(dirname "$1")" && { sha256sum "${1##*/}" 2>/dev/null || shasum -a 256 "${1##*/}"; } >"${1##*/}.sha256")
    cat "$1.sha256"
}
