#!/bin/sh
# Every test. Arguments go to `cargo test`, for example: sh test_all.sh --test it local::
set -eu

CDPATH='' cd -- "$(dirname -- "$0")"
# shellcheck source=scripts/postgresql.sh
. ./scripts/postgresql.sh

CARGO=$(find_cargo) || {
    say "there is no cargo: please install Rust, https://rustup.rs"
    exit 1
}
see_to_c_compiler
see_to_postgresql
exec "$CARGO" test --locked "$@"
