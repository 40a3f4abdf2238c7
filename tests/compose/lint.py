#!/usr/bin/env python3
"""Holds docker-compose.yml, the Dockerfile and what belongs to them to the project's rules, on the parsed files.

    lint.py [PROJECT_FOLDER]

Each rule is a function whose name is the rule. Exits with 1 and names the rules that are broken, and by what.
"""

import json
import pathlib
import re
import sys
from urllib.parse import urlsplit

import yaml

DATABASES = ["production_data", "warehouse_data"]
BRIEF = [*DATABASES, "pg_admin", "data_tools"]
# What each service needs, with the reason beside it in docker-compose.yml. All others need nothing.
CAPABILITIES = {
    "set_up": {"CHOWN"},
    "data_tools": {"SETUID", "SETGID"},
    "schedule": {"SETUID", "SETGID"},
}
# Writes its configuration beside its program.
NOT_READ_ONLY = {"pg_admin"}
TOOLS = ("data_tools", "schedule")
# Make what they hold when they start first.
NOT_FAST = {*DATABASES, "pg_admin"}


class Project:
    def __init__(self, folder):
        self.folder = folder
        self.compose = yaml.safe_load(self.text("docker-compose.yml"))
        self.services = self.compose["services"]
        # Asked for by COMPOSE_FILE only.
        self.database_ports = yaml.safe_load(self.text("docker/database_ports.yml"))["services"]
        self.dockerfile = self.text("Dockerfile")
        # Each stage of the Dockerfile, without comments.
        code = "\n".join(line for line in self.dockerfile.splitlines() if not line.lstrip().startswith("#"))
        self.stages = re.split(r"^(?=FROM )", code, flags=re.M)[1:]

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def environment(self, service):
        return self.services[service].get("environment", {})


def the_main_services_are_there(project):
    for name in BRIEF:
        if name not in project.services:
            yield name
    here = {"context": ".", "dockerfile": "./Dockerfile"}
    for name, expected in (("data_tools", here), ("set_up", {**here, "target": "set_up"})):
        if project.services[name].get("build") != expected:
            yield f"{name} is built from {project.services[name].get('build')}"


def both_generations_of_compose_read_it(project):
    if "version" in project.compose:
        yield "a version: 2 warns of it, 1.29 does without"
    for name, service in project.services.items():
        if isinstance(service.get("deploy"), dict):
            yield f"{name}: deploy is not read by docker-compose 1.29"


def what_is_built_here_is_not_pulled(project):
    for name, service in project.services.items():
        if service["image"].startswith("localhost/") and service.get("pull_policy") != "never":
            yield f"{name} is asked of a registry first"


def no_image_is_built_twice(project):
    built = [service["image"] for service in project.services.values() if "build" in service]
    for image in sorted({image for image in built if built.count(image) > 1}):
        yield f"{image}: newer engines end that with an error"


def every_image_is_pinned(project):
    images = [service["image"] for service in project.services.values()]
    images += [stage.split()[1] for stage in project.stages]
    for image in images:
        if not re.search(r":[^:]*\d+\.\d+", image):
            yield image
        # Podman asks which registry is meant, or takes none.
        if image.split("/")[0] not in ("docker.io", "localhost") or "/" not in image:
            yield f"{image} does not name its registry"
    version = re.search(r'^version = "(.*)"', project.text("Cargo.toml"), re.M).group(1)
    for name, image in (("set_up", "kalends-set-up"), ("data_tools", "kalends"), ("schedule", "kalends")):
        if project.services[name]["image"] != f"localhost/{image}:{version}":
            yield f"{name} is not of version {version}"


def only_pg_admin_has_a_port(project):
    for name, service in project.services.items():
        if service.get("ports", []) != (["${PG_ADMIN_ADDRESS:-127.0.0.1}:4300:8080"] if name == "pg_admin" else []):
            yield f"{name}: {service.get('ports')}"
    if str(project.environment("pg_admin").get("PGADMIN_LISTEN_PORT")) != "8080":
        yield "where pgAdmin listens is left to its image"
    for name, service in project.database_ports.items():
        for port in service.get("ports", []):
            if name not in DATABASES or not port.startswith("127.0.0.1:"):
                yield f"{name}: {port}"


def what_is_mounted_can_be_read(project):
    for name, service in project.services.items():
        for volume in service.get("volumes", []):
            # z is for SELinux. Of the host's files only the tools and set_up have any: other users may not read them.
            if volume.startswith(".") and (name not in (*TOOLS, "set_up") or not re.search(r":(ro,)?z$", volume)):
                yield f"{name}: {volume}"
    for stage in project.stages:
        chmod = " ".join(re.findall(r"chmod .*", stage)).split()
        # The stage that compiles is left behind.
        for paths, target in re.findall(r"^COPY (?!--)(.*) (\S+)$", "" if " AS build" in stage else stage, re.M):
            for path in paths.split():
                copied = pathlib.PurePath(target, pathlib.PurePath(path).name)
                if str(copied) not in chmod and str(copied.parent) not in chmod and target not in chmod:
                    yield f"{copied} keeps the modes of the clone"


def no_check_is_in_the_image(project):
    if "HEALTHCHECK" in project.dockerfile:
        yield "an image in OCI's format has no HEALTHCHECK"
    for name, service in project.services.items():
        check = service.get("healthcheck", {})
        if name == "set_up":
            continue
        if not check.get("test"):
            yield f"{name} has no health check"
        if name in NOT_FAST and int(check.get("start_period", "0s").rstrip("s")) < 300:
            yield f"{name} has little time to start"


def every_service_is_confined(project):
    for name, service in project.services.items():
        if service.get("cap_drop") != ["ALL"]:
            yield f"{name} keeps capabilities"
        if set(service.get("cap_add", [])) != CAPABILITIES.get(name, set()):
            yield f"{name} adds {service.get('cap_add')}"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name} may get new privileges"
        if service.get("read_only") is not True and name not in NOT_READ_ONLY:
            yield f"{name} may write to its image"
        for key in ("privileged", "pid", "ipc", "userns_mode", "devices"):
            if key in service:
                yield f"{name}: {key}"
        if service.get("network_mode", "none") != "none":
            yield f"{name}: network_mode"
        for volume in service.get("volumes", []):
            if "docker.sock" in volume or volume.startswith("/"):
                yield f"{name}: {volume}"


def no_password_is_written(project):
    for name in project.services:
        for key, value in project.environment(name).items():
            if "PASSWORD" in key and not key.endswith("_FILE") and not key.endswith("_REQUIRED"):
                yield f"{name}: {key}"
            if "://" in str(value) and urlsplit(value).password:
                yield f"{name}: {key}"
    for line in [*project.dockerfile.splitlines(), *project.text(".env.example").splitlines()]:
        if re.search(r"^\s*(ENV|ARG)?\s*\w*(PASSWORD|SECRET|TOKEN)\w*\s*=", line):
            yield line
    for name in DATABASES:
        if not project.environment(name).get("POSTGRES_PASSWORD_FILE", "").startswith("/run/passwords/"):
            yield f"{name} has no POSTGRES_PASSWORD_FILE"


def the_way_to_a_database_is_said(project):
    for name in ("KALENDS_PRODUCTION_URL", "KALENDS_WAREHOUSE_URL"):
        url = urlsplit(project.environment("data_tools")[name])
        if url.hostname not in DATABASES or url.query != "sslmode=disable" or url.path != f"/{url.hostname}":
            yield f"{name}: {url.geturl()}"


def databases_are_waited_for_by_their_health(project):
    for name in ("data_tools", "schedule", "pg_admin"):
        for database in DATABASES:
            condition = project.services[name].get("depends_on", {}).get(database, {}).get("condition")
            if condition != "service_healthy":
                yield f"{name} waits for {database}: {condition}"
    for name in DATABASES:
        test = project.services[name].get("healthcheck", {}).get("test", [])
        if test[-1:] != ["/run/set_up/database_health"]:
            yield f"{name} is healthy by {test}"
    # The server that sets up answers on the socket only.
    if "pg_isready --host=127.0.0.1" not in project.text("docker/services/database_health"):
        yield "a database is healthy while it is set up"


def the_image_is_small_and_not_root(project):
    if len(project.stages) != 3:
        yield "its stages are not set_up, build and the tools"
    build, final = project.stages[1], project.stages[-1]
    for stage in (project.stages[0], final):
        user = re.findall(r"^USER (\S+)", stage, re.M)
        if not user or user[-1] in ("root", "0"):
            yield f"its user is {user}"
    if re.search(r"apt-get|curl|wget|ADD ", final):
        yield "its final stage fetches things"
    if not 0 < build.find("cargo build") < build.find("COPY src"):
        yield "the dependencies have no layer of their own"
    for line in project.dockerfile.splitlines():
        if re.match(r"RUN --|# syntax=", line):
            yield f"the classic builder does not know: {line}"


def the_context_holds_only_what_is_copied(project):
    lines = [line for line in project.text(".dockerignore").splitlines() if line and not line.startswith("#")]
    if lines[0] != "*":
        yield "it begins with more than nothing"
    copied = {path for line in re.findall(r"^COPY (?!--)(.*) \S+$", project.dockerfile, re.M) for path in line.split()}
    allowed = {line[1:] for line in lines[1:]}
    if copied != allowed:
        yield f"copied and allowed differ: {sorted(copied ^ allowed)}"


def only_production_is_a_test_source(project):
    for name in DATABASES:
        marked = "test_source.sql" in project.services[name].get("command", [])
        if marked != (name == "production_data"):
            yield name


def pg_admin_reads_and_is_typed_nothing(project):
    settings = project.environment("pg_admin")
    for key in ("SERVER_MODE", "MASTER_PASSWORD_REQUIRED", "ENABLE_PSQL"):
        if settings.get(f"PGADMIN_CONFIG_{key}") != "False":
            yield key
    servers = json.loads(project.text("docker/services/servers.json"))["Servers"].values()
    if sorted(server["Host"] for server in servers) != DATABASES:
        yield "docker/services/servers.json does not list both databases"
    for server in servers:
        if server["Username"] != "reader" or not server["PassFile"].startswith("/run/passwords/"):
            yield f"{server['Name']} is not read as `reader`, with a password file"


def line_ends_are_those_of_unix(project):
    if not re.search(r"^\* text=auto eol=lf$", project.text(".gitattributes"), re.M):
        yield ".gitattributes leaves them to each user's settings"


def nothing_is_made_for_the_tests(project):
    for name in ("docker-compose.yml", "Dockerfile", ".dockerignore"):
        for word in ("stand_in", "stand-in", "tests/compose", "tests/fresh"):
            if word in project.text(name):
                yield f"{name} knows of {word}"


def every_variable_is_documented(project):
    used = set(re.findall(r"\$\{(\w+)", project.text("docker-compose.yml") + project.text("docker/database_ports.yml")))
    known = set(re.findall(r"^(?:#= )?(\w+)=", project.text(".env.example"), re.M)) - {"COMPOSE_FILE"}
    if used != known:
        yield f"docker-compose.yml and .env.example differ: {sorted(used ^ known)}"


RULES = [
    the_main_services_are_there,
    both_generations_of_compose_read_it,
    what_is_built_here_is_not_pulled,
    no_image_is_built_twice,
    every_image_is_pinned,
    only_pg_admin_has_a_port,
    what_is_mounted_can_be_read,
    no_check_is_in_the_image,
    every_service_is_confined,
    no_password_is_written,
    the_way_to_a_database_is_said,
    databases_are_waited_for_by_their_health,
    the_image_is_small_and_not_root,
    the_context_holds_only_what_is_copied,
    only_production_is_a_test_source,
    pg_admin_reads_and_is_typed_nothing,
    line_ends_are_those_of_unix,
    nothing_is_made_for_the_tests,
    every_variable_is_documented,
]


def kept(rule, project):
    """What breaks a rule; what it asks for and is not there breaks it too."""
    try:
        return list(rule(project))
    except (KeyError, IndexError) as missing:
        return [f"there is no {missing}"]


def main():
    here = pathlib.Path(__file__).resolve().parents[2]
    project = Project(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here)
    broken = [f"{rule.__name__}: {what}" for rule in RULES for what in kept(rule, project)]
    if broken:
        sys.exit("\n".join(broken))
    print(f"{len(RULES)} rules hold")


if __name__ == "__main__":
    main()
