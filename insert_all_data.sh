#!/bin/sh
# The main job: a year of simulated production data, prepared and exported month by month.
#
#   YEAR                      the year, 2023 where it is not set
#   RANDOM_MAIN_CONTROLLER    how many rows and how large their values are, 100 where it is not set
#   KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL
#                             the servers; without them two private ones are started, and stopped at the end
#
# The files are in exports/, beside this script, wherever it is called from.
set -eu

CDPATH='' cd -- "$(dirname -- "$0")"
# shellcheck source=scripts/postgresql.sh
. ./scripts/postgresql.sh

YEAR=${YEAR:-2023}
RANDOM_MAIN_CONTROLLER=${RANDOM_MAIN_CONTROLLER:-100}
export YEAR RANDOM_MAIN_CONTROLLER

case ${KALENDS_PRODUCTION_URL:+production}${KALENDS_WAREHOUSE_URL:+warehouse} in
productionwarehouse) SERVERS=configured ;;
'') SERVERS=private ;;
production)
    say "KALENDS_PRODUCTION_URL is set and KALENDS_WAREHOUSE_URL is not: set both, or neither to use private servers"
    exit 2
    ;;
warehouse)
    say "KALENDS_WAREHOUSE_URL is set and KALENDS_PRODUCTION_URL is not: set both, or neither to use private servers"
    exit 2
    ;;
esac

# Built here where there is cargo; in the container, kalends is on PATH and there is no cargo.
if CARGO=$(find_cargo); then
    see_to_c_compiler
    KALENDS=${CARGO_TARGET_DIR:-target}/release/kalends
    if [ -x "$KALENDS" ]; then
        "$CARGO" build --release --locked --quiet
    else
        say "building $KALENDS"
        "$CARGO" build --release --locked
    fi
elif KALENDS=$(command -v kalends); then
    :
else
    say "kalends is not built, and there is no cargo to build it: please install Rust, https://rustup.rs"
    exit 1
fi
if [ "$SERVERS" = private ]; then
    see_to_postgresql
fi

# Whatever ends the script, the servers that it started stop, and the code is that of what ended it.
stop_servers() {
    code=$?
    trap '' INT TERM HUP
    trap - EXIT
    "$KALENDS" local stop --quiet || code=$((code ? code : 1))
    exit "$code"
}

if [ "$SERVERS" = private ] && ! "$KALENDS" local status --quiet; then
    trap stop_servers EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    "$KALENDS" local start --quiet
fi

# This job makes its source itself, so what it makes smaller is meant: --accept-loss.
# It owns its exports folder: it takes it over even when the warehouse is a new one, as after a fresh set-up.
for MONTH in 1 2 3 4 5 6 7 8 9 10 11 12; do
    "$KALENDS" simulate "$YEAR" "$MONTH"
    "$KALENDS" prepare --accept-loss
    "$KALENDS" export --take-over "$YEAR" "$MONTH"
done
