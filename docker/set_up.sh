#!/bin/sh
# Runs in the service `set_up`, before all others, at each start: makes the passwords once, and sees whose the exports are.
set -eu
# Each file is for one reader, and libpq and Kalends refuse password files that others may read.
umask 077

fail() {
    printf 'set_up: %s\n' "$*" >&2
    exit 1
}

# The user who gets the files: the one who is named, else the owner of ./exports. Where the engine had to make that
# folder it is root's, and the owner of docker-compose.yml tells who cloned the project.
owner=${KALENDS_USER:-$(stat -c %u:%g /exports)}
[ "${owner%%:*}" != 0 ] || owner=$(stat -c %u:%g /docker-compose.yml)
case $owner in
*[!0-9:]* | :* | *: | *:*:*) fail "KALENDS_USER is \"$owner\": write uid:gid, two numbers" ;;
*:*) ;;
*) fail "KALENDS_USER is \"$owner\": write uid:gid, two numbers" ;;
esac
now=$(stat -c %u /exports)
if [ "$now" != "${owner%:*}" ]; then
    if [ "$now" != 0 ] || [ -n "$(ls -A /exports)" ]; then
        fail "./exports is user $now's, not user ${owner%:*}'s: run \`sudo chown -R $owner exports\`"
    fi
    chown "$owner" /exports
fi

# 192 random bits, in characters that need no quoting anywhere.
random() {
    od -A n -N 24 -t x1 /dev/urandom | tr -d ' \n'
}

# keep FILE OWNER: its content from standard input.
keep() {
    cat >"$1"
    chown "$2" "$1"
}

cd /run/passwords
# Written last. Until then no database was made, so another try may overwrite what a first one left.
if [ ! -e made ]; then
    rm -f ./*
    kalends=$(random)
    reader=$(random)
    random | keep superuser postgres
    printf %s "$kalends" | keep kalends postgres
    printf %s "$reader" | keep reader postgres
    printf '*:*:*:kalends:%s\n' "$kalends" | keep data_tools.pgpass "$owner"
    # 5050 is the user of pgAdmin's image.
    printf '*:*:*:reader:%s\n' "$reader" | keep pg_admin.pgpass 5050
    random | keep pg_admin 5050
    : >made
fi
# The host's user may be another than when the passwords were made.
chown "$owner" data_tools.pgpass
