# What docs/guides/ says about real servers and schedules, done as it says: the blocks of the pages are what is run.
# Read with `.` by bash, after checks.sh.
: "${project:?}" "${scratch:?}" "${clone:?}" "${name:?}"

# docs PAGE LANGUAGE N: the Nth block in this language of docs/guides/PAGE.md, with passwords filled in and hosts that
# are here.
docs() {
    awk -v fence='```'"$2" -v wanted="$3" '
        /^```/ { inside = $0 == fence; count += inside; next }
        inside && count == wanted' \
        "$clone/docs/guides/$1.md" |
        sed -e "s/…/secret/" -e 's/production\.example\.com/production_data/' -e 's/warehouse\.example\.com/warehouse_data/' |
        grep . || { echo "docs/guides/$1.md has no block $3 of $2" >&2 && return 1; }
}

# superuser SERVICE: statements from standard input.
superuser() {
    docker exec --interactive "$(container "$1")" psql -U postgres -d "$1" -q -v ON_ERROR_STOP=1 "${@:2}" 2>&1
}

reader_only_reads() {
    local statement
    for statement in 'CREATE TABLE public.x ()' 'DELETE FROM public.entity' "COPY (SELECT 1) TO PROGRAM 'true'"; do
        superuser production_data <<<"SET ROLE reader; BEGIN READ WRITE; $statement" && echo "reader may: $statement" &&
            return 1
    done
    superuser production_data -t <<<'SET ROLE reader; SELECT count(*) FROM public.entity'
}

# grants SERVICE: docs/grants.sql as the document has it for the database of that name.
grants() {
    local variables
    variables=$(docs real-servers sh 2 | sed -n "s/^psql -d $1 \(.*\) -f docs\/grants.sql$/\1/p" | grep .) || return
    # shellcheck disable=SC2086
    superuser "$1" $variables <"$clone/docs/grants.sql"
}

# Into a new warehouse, by the roles that the documents make.
least_privilege() {
    grants production_data && docs real-servers sql 1 | superuser production_data || return
    docker exec "$(container warehouse_data)" psql -U postgres -q -c 'DROP DATABASE warehouse_data WITH (FORCE)' \
        -c 'CREATE DATABASE warehouse_data' || return
    grants warehouse_data && docs real-servers sql 2 | superuser warehouse_data || return
    local query='?sslmode=disable'
    tools -e "KALENDS_PRODUCTION_URL=postgresql://kalends_reader:secret@production_data/production_data$query" \
        -e "KALENDS_WAREHOUSE_URL=postgresql://kalends_writer:secret@warehouse_data/warehouse_data$query" \
        -e KALENDS_EXPORTS=/tmp/exports data_tools \
        sh -c 'kalends run && kalends verify && ! kalends simulate 2023 1' || return
    tail -n 3 "$scratch/said"
    superuser warehouse_data -t <<<'SET ROLE business; SELECT year, sum_values FROM kalends_stats.entity_stats_yearly' ||
        return
    ! superuser warehouse_data <<<'SET ROLE business; SELECT FROM kalends_raw.entity' || return
    ! superuser warehouse_data <<<'SET ROLE business; BEGIN READ WRITE; DELETE FROM kalends_stats.entity_year' || return
}

# machine COMMAND: in the shell of a machine with systemd and cron.
machine() {
    docker exec --interactive --workdir /root "${name}_machine" sh -c "$1"
}

# start_machine [OPTIONS...]: returns when systemd is up.
start_machine() {
    docker run --detach --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
        --cgroupns private --tmpfs /run --tmpfs /tmp --name "${name}_machine" \
        --label "com.docker.compose.project=$name" "$@" kalends-systemd:test >/dev/null &&
        timeout --foreground 60 docker exec "${name}_machine" sh -c \
            'until systemctl is-system-running 2>/dev/null | grep -q -E "running|degraded"; do sleep 0.2; done'
}

stop_machine() {
    docker rm --force --volumes "${name}_machine" >/dev/null 2>&1
}

# see_to_machine: whether there can be one. Nobody's fault where not: systemd in a container asks much of an engine.
see_to_machine() {
    "$project/tests/compose/stand_ins/build" kalends-systemd:test && start_machine --network none
    local code=$?
    stop_machine
    return "$code"
}

# state PROPERTIES...: of the unit, each on a line.
state() {
    machine "systemctl show --property=$1 --value kalends.service"
}

# unit_ends STATE SECONDS: waits until the unit is in it.
unit_ends() {
    local _
    for _ in $(seq "$2"); do
        [ "$(state ActiveState)" != "$1" ] || return 0
        sleep 1
    done
    machine 'systemctl status --no-pager kalends.service'
    return 1
}

# Put where docs/guides/ says, in the way it says, with nothing but the hosts and TLS changed.
installs_as_documented() {
    docker run --rm --entrypoint cat "$image" /usr/local/bin/kalends >"$scratch/kalends" || return
    start_machine --network "${name}_default" || return
    machine 'mkdir -p target/release && cat >target/release/kalends' <"$scratch/kalends" || return
    docs real-servers sh 1 | machine 'set -eu; . /dev/stdin' || return
    docs real-servers text 1 | sed 's/\(_URL=.*\)/\1?sslmode=disable/' |
        machine 'cat >/etc/kalends/environment' || return
    docs real-servers text 2 | machine 'cat >/etc/kalends/pgpass' || return
    docs schedule ini 1 | machine 'cat >/etc/systemd/system/kalends.service' || return
    docs schedule ini 2 | machine 'cat >/etc/systemd/system/kalends.timer' || return
}

# After least_privilege, with its roles.
schedules_on_a_machine() {
    by_systemd_and_cron
    local code=$?
    stop_machine
    return "$code"
}

by_systemd_and_cron() {
    local day=year=2023/month=2/day=3
    installs_as_documented || return

    # A key that systemd does not know is a warning, so nothing at all is to be said.
    machine '! systemd-analyze verify --man=no /etc/systemd/system/kalends.* 2>&1 | grep .' || return
    machine 'systemctl daemon-reload && systemctl enable --quiet --now kalends.timer &&
        systemctl list-timers --no-pager kalends.timer' | sed -n 2p
    machine 'systemctl start kalends.service && journalctl --no-pager --quiet --output=cat --unit=kalends | tail -n 4' || return
    [ "$(machine "stat -c %U /srv/exports/$day/*")" = kalends ] || { echo "the file is not kalends'" && return 1; }

    # Told to stop, while it waits for the table: that is no failure.
    superuser production_data <<<'BEGIN; LOCK TABLE public.entity; SELECT pg_sleep(5)' >/dev/null &
    local lock=$!
    sleep 1
    machine 'systemctl start --no-block kalends.service && sleep 1 && systemctl --no-warn stop kalends.service' || return
    wait "$lock"
    echo "stopped: $(state Result), $(state ExecMainStatus)"
    [ "$(state Result),$(state ExecMainStatus)" = success,143 ] || return

    # A refusal is not tried again; a server that is not there is, ten times.
    machine 'cd /etc/systemd/system && mkdir kalends.service.d && printf "[Service]\nRestartSec=0\n" >kalends.service.d/soon.conf &&
        cp /etc/kalends/environment good && systemctl daemon-reload' || return
    machine 'echo KALENDS_PRODUCTION_URL="$(sed -n s/KALENDS_WAREHOUSE_URL=//p /etc/kalends/environment)" >>/etc/kalends/environment
        ! systemctl start kalends.service 2>/dev/null' || return
    unit_ends failed 5 && [ "$(state NRestarts),$(state ExecMainStatus)" = 0,4 ] || { state ExecMainStatus && return 1; }
    machine 'systemctl reset-failed; sed -i "s|@production_data/|@127.0.0.1:1/|; \$d" /etc/kalends/environment
        ! systemctl start kalends.service 2>/dev/null' || return
    unit_ends failed 60 && [ "$(state NRestarts)" -ge 8 ] || { state NRestarts && return 1; }
    echo "$(state NRestarts) restarts: $(state Result)"
    machine 'mv /etc/systemd/system/good /etc/kalends/environment && rm -r /etc/systemd/system/kalends.service.d' || return

    # By cron, at the next minute.
    machine "rm -r /srv/exports/$day" || return
    docs schedule text 1 | sed 's/^15 2 /* * /' | machine 'crontab -u kalends -' || return
    local _
    for _ in $(seq 70); do
        machine "[ ! -e /srv/exports/$day/*.csv ]" || break
        sleep 1
    done
    machine "ls -l /srv/exports/$day/*.csv" || return
    # Nothing was printed, so there was nothing to mail.
    ! machine 'journalctl --no-pager --quiet --output=cat --unit=cron | grep "discarding output"' || return
}

# By the steps that docs/guides/recover.md gives for it; production changed meanwhile.
warehouse_is_lost() {
    compose exec -T warehouse_data pg_dump -U postgres -Fc warehouse_data >"$scratch/dump" && [ "$(head -c 5 "$scratch/dump")" = PGDMP ] || return
    superuser production_data <<<"DELETE FROM public.entity WHERE created_at < '2023-01-02' AND created_at >= '2023-01-01'" || return
    compose rm --stop --force warehouse_data >/dev/null 2>&1 && docker volume rm "${name}_warehouse_data" >/dev/null || return
    compose up -d >/dev/null 2>&1 || return
    tools data_tools kalends run
    [ $? = 4 ] || return
    tools data_tools kalends run --take-over && tools data_tools kalends verify && tail -n 1 "$scratch/said" || return
    [ ! -e "$clone/exports/year=2023/month=1/day=1" ]
}

# The databases have other passwords than the files.
passwords_are_lost() {
    superuser warehouse_data <<<"ALTER ROLE kalends PASSWORD 'another'; ALTER ROLE reader PASSWORD 'another'" || return
    ! tools data_tools kalends verify || return
    compose restart production_data warehouse_data >/dev/null 2>&1
    becomes healthy production_data 60 && becomes healthy warehouse_data 60 || return
    tools data_tools kalends verify && pg_admin_connects
}
