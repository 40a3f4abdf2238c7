#!/usr/bin/env python3
"""Shows that each rule of lint.py bites: breaks the project's files, one rule at a time, and expects to be told."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
FILES = ["docker-compose.yml", "Dockerfile", ".dockerignore", ".env.example", ".gitattributes", "Cargo.toml", "docker/database_ports.yml",
         "docker/services/servers.json", "docker/services/database_health"]

# rule, file, what is there, what is put in its place
BREAKS = [
    ("the_main_services_are_there", "docker-compose.yml", "\n  pg_admin:\n", "\n  pgadmin:\n"),
    ("the_main_services_are_there", "docker-compose.yml", "dockerfile: ./Dockerfile", "dockerfile: ./Other"),
    ("both_generations_of_compose_read_it", "docker-compose.yml", "x-postgres:", 'version: "3.9"\nx-postgres:'),
    ("every_image_is_pinned", "docker-compose.yml", "pgadmin4:9.18", "pgadmin4:latest"),
    ("what_is_built_here_is_not_pulled", "docker-compose.yml", "  pull_policy: never\n", ""),
    ("no_image_is_built_twice", "docker-compose.yml", "    command: [schedule]\n",
     "    build: {context: ., dockerfile: ./Dockerfile}\n    command: [schedule]\n"),
    ("every_image_is_pinned", "docker-compose.yml", "docker.io/library/postgres", "postgres"),
    ("every_image_is_pinned", "Dockerfile", "docker.io/library/rust", "rust"),
    ("every_image_is_pinned", "Dockerfile", "debian:13.8-slim", "debian:stable-slim"),
    ("every_image_is_pinned", "docker-compose.yml", "kalends:0.2.0", "kalends:0.0.9"),
    ("only_pg_admin_has_a_port", "docker-compose.yml", "${PG_ADMIN_ADDRESS:-127.0.0.1}", "0.0.0.0"),
    ("only_pg_admin_has_a_port", "docker-compose.yml", "    command: [warehouse.sql]\n",
     '    command: [warehouse.sql]\n    ports: ["127.0.0.1:5434:5432"]\n'),
    ("only_pg_admin_has_a_port", "docker-compose.yml", '      PGADMIN_LISTEN_PORT: "8080"\n', ""),
    ("only_pg_admin_has_a_port", "docker/database_ports.yml", '"127.0.0.1:${PRODUCTION', '"${PRODUCTION'),
    ("what_is_mounted_can_be_read", "docker-compose.yml", "./exports:/exports:z", "./exports:/exports"),
    ("what_is_mounted_can_be_read", "docker-compose.yml", "scripts:ro,z", "scripts:ro"),
    ("what_is_mounted_can_be_read", "docker-compose.yml", "      - pg_admin:/var/lib/pgadmin\n",
     "      - pg_admin:/var/lib/pgadmin\n      - ./docker/services/servers.json:/servers.json:ro,z\n"),
    ("what_is_mounted_can_be_read", "Dockerfile", " /usr/local/bin/health", ""),
    ("what_is_mounted_can_be_read", "Dockerfile", "u=rwX,go=rX /usr/local/lib/kalends", "u=rwX,go=rX /usr/local/lib"),
    ("what_is_mounted_can_be_read", "Dockerfile", "u=rwX,go=rX insert_all_data.sh scripts", "u=rwX,go=rX scripts"),
    ("no_check_is_in_the_image", "Dockerfile", "USER 10001", "HEALTHCHECK CMD true\nUSER 10001"),
    ("the_image_is_small_and_not_root", "Dockerfile", "USER 65534", "USER root"),
    ("no_check_is_in_the_image", "docker-compose.yml", "test: [CMD, as_owner, health]", "disable: true"),
    ("no_check_is_in_the_image", "docker-compose.yml", "start_period: 300s", "start_period: 5s"),
    ("line_ends_are_those_of_unix", ".gitattributes", "eol=lf", "eol=crlf"),
    ("every_service_is_confined", "docker-compose.yml", "  cap_drop: [ALL]\n", ""),
    ("every_service_is_confined", "docker-compose.yml", "[SETUID, SETGID]", "[SETUID, SETGID, SYS_ADMIN]"),
    ("every_service_is_confined", "docker-compose.yml", "no-new-privileges:true", "no-new-privileges:false"),
    ("every_service_is_confined", "docker-compose.yml", "  read_only: true\n", ""),
    ("every_service_is_confined", "docker-compose.yml", "./exports:/srv", "/var/run/docker.sock:/srv"),
    ("no_password_is_written", "docker-compose.yml", "POSTGRES_PASSWORD_FILE: /run/passwords/superuser",
     "POSTGRES_PASSWORD: secret"),
    ("no_password_is_written", "docker-compose.yml", "kalends@warehouse_data", "kalends:secret@warehouse_data"),
    ("the_way_to_a_database_is_said", "docker-compose.yml", "production_data?sslmode=disable", "production_data"),
    ("databases_are_waited_for_by_their_health", "docker-compose.yml",
     "production_data: {condition: service_healthy}", "production_data: {condition: service_started}"),
    ("databases_are_waited_for_by_their_health", "docker-compose.yml", "[CMD, sh, /run/set_up/database_health]", "[CMD, pg_isready]"),
    ("databases_are_waited_for_by_their_health", "docker/services/database_health", " --host=127.0.0.1", ""),
    ("the_image_is_small_and_not_root", "Dockerfile", "USER 10001", "USER root"),
    ("the_image_is_small_and_not_root", "Dockerfile", "COPY Cargo.toml Cargo.lock ./", "COPY src src"),
    ("the_context_holds_only_what_is_copied", ".dockerignore", "!scripts\n", "!scripts\n!.env\n"),
    ("only_production_is_a_test_source", "docker-compose.yml", "command: [test_source.sql]", "command: []"),
    ("only_production_is_a_test_source", "docker-compose.yml", "command: [warehouse.sql]", "command: [warehouse.sql, test_source.sql]"),
    ("pg_admin_reads_and_is_typed_nothing", "docker/services/servers.json", '"reader"', '"postgres"'),
    ("pg_admin_reads_and_is_typed_nothing", "docker-compose.yml", 'SERVER_MODE: "False"', 'SERVER_MODE: "True"'),
    ("nothing_is_made_for_the_tests", "Dockerfile", "COPY scripts scripts", "COPY tests/compose/stand_ins scripts"),
    ("every_variable_is_documented", ".env.example", "WAREHOUSE_PORT=", "OTHER_PORT="),
]


def told(folder):
    lint = subprocess.run([sys.executable, HERE / "lint.py", folder], capture_output=True, text=True, check=False)
    return {line.split(":")[0] for line in lint.stderr.splitlines() if lint.returncode == 1}


def main():
    wrong = []
    for rule, name, there, instead in BREAKS:
        with tempfile.TemporaryDirectory() as folder:
            for file in FILES:
                target = pathlib.Path(folder, file)
                target.parent.mkdir(exist_ok=True)
                shutil.copy(PROJECT / file, target)
            target = pathlib.Path(folder, name)
            text = target.read_text(encoding="utf-8")
            if there not in text:
                wrong.append(f"{name} has no {there!r}: nothing was broken")
                continue
            target.write_text(text.replace(there, instead, 1), encoding="utf-8")
            if rule not in told(folder):
                wrong.append(f"{rule} does not mind {instead!r} in {name}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(BREAKS)} breaks of {len({rule for rule, *_ in BREAKS})} rules were told")


if __name__ == "__main__":
    main()
