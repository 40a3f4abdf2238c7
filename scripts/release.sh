#!/bin/sh
# The archive of a release, for this machine's processor: the program, its completions and manual pages, settings,
# rights and licences.
#
#   sh scripts/release.sh [TARGET]     writes dist/kalends-VERSION-TARGET.tar.gz and its SHA-256
#
# On Linux the program is static (musl) and runs on any distribution; that needs musl-gcc (Debian: musl-tools) and
# `rustup target add TARGET`. Who builds the same commit with the same compiler in the same folder gets the same bytes.
set -eu

CDPATH='' cd -- "$(dirname -- "$0")/.."
case $(uname -s) in
Darwin) machine=$(uname -m | sed s/arm64/aarch64/)-apple-darwin ;;
*) machine=$(uname -m)-unknown-linux-musl ;;
esac
target=${1:-$machine}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
name=kalends-$version-$target
made=$(git log -1 --format=%ct)
built=${CARGO_TARGET_DIR:-target}/$target/release/kalends

SOURCE_DATE_EPOCH=$made cargo build --release --locked --target "$target"
case $target in
*-musl)
    # A static program asks for no loader.
    if readelf --program-headers "$built" | grep -q INTERP; then
        echo "release.sh: $built is not static" >&2
        exit 1
    fi
    ;;
esac

staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
mkdir -p "$staged/$name/completions" "$staged/$name/man" dist
install -m 755 "$built" "$staged/$name/kalends"
for shell in bash fish zsh; do
    "$built" completions "$shell" >"$staged/$name/completions/kalends.$shell"
done
install -m 644 README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT kalends.example.toml docs/grants.sql "$staged/$name"
"$built" man >"$staged/$name/man/kalends.1"
"$built" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' | grep -v help | while read -r command; do
    "$built" man "$command" >"$staged/$name/man/kalends-$command.1"
done
# Times, owners and order are those of the commit and not of whoever builds it, where this is GNU tar.
if tar --version 2>/dev/null | grep -q 'GNU tar'; then
    set -- --sort=name --mtime="@$made" --owner=0 --group=0 --numeric-owner
else
    set --
fi
tar "$@" -C "$staged" -cf - "$name" | gzip -n -9 >"dist/$name.tar.gz"
(cd dist && { sha256sum "$name.tar.gz" 2>/dev/null || shasum -a 256 "$name.tar.gz"; } >"$name.tar.gz.sha256")
cat "dist/$name.tar.gz.sha256"
