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
# A test waits for its servers more than it computes, so on few processors two share one.
processors=$(getconf _NPROCESSORS_ONLN)
if [ "$processors" -lt 8 ]; then
    RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * processors))}
    export RUST_TEST_THREADS
fi
exec "$CARGO" test --locked "$@"
