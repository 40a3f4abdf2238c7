#!/usr/bin/env python3
"""Shows that each rule of lint.py bites: breaks the project's files, one rule at a time, and expects to be told."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
FILES = ["docker-compose.yml", "Dockerfile", ".dockerignore", ".env.example", "Cargo.toml", "docker/servers.json"]

# rule, file, what is there, what is put in its place
BREAKS = [
    ("the_services_of_the_brief_are_there", "docker-compose.yml", "\n  pg_admin:\n", "\n  pgadmin:\n"),
    ("the_services_of_the_brief_are_there", "docker-compose.yml", "dockerfile: ./Dockerfile", "dockerfile: ./Other"),
    ("both_generations_of_compose_read_it", "docker-compose.yml", "x-postgres:", 'version: "3.9"\nx-postgres:'),
    ("every_image_is_pinned", "docker-compose.yml", "pgadmin4:9.18", "pgadmin4:latest"),
    ("every_image_is_pinned", "Dockerfile", "debian:13.7-slim", "debian:stable-slim"),
    ("every_image_is_pinned", "docker-compose.yml", "kalends:0.1.0", "kalends:0.0.9"),
    ("only_pg_admin_is_open_to_others", "docker-compose.yml", '"127.0.0.1:${PRODUCTION', '"${PRODUCTION'),
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
    ("databases_are_waited_for_by_their_health", "docker-compose.yml", ", --host=127.0.0.1", ""),
    ("the_image_is_small_and_not_root", "Dockerfile", "USER 10001", "USER root"),
    ("the_image_is_small_and_not_root", "Dockerfile", "HEALTHCHECK", "LABEL"),
    ("the_image_is_small_and_not_root", "Dockerfile", "COPY Cargo.toml Cargo.lock ./", "COPY src src"),
    ("the_context_holds_only_what_is_copied", ".dockerignore", "!scripts\n", "!scripts\n!.env\n"),
    ("only_production_is_a_test_source", "docker-compose.yml", "./docker/test_source.sql", "./docker/other.sql"),
    ("pg_admin_reads_and_is_typed_nothing", "docker/servers.json", '"reader"', '"postgres"'),
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
