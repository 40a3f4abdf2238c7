# Two images: of the tools (the last stage), and of `set_up`, which is without kalends. Builds with BuildKit, with the
# classic builder and with Podman. docker-compose.yml has the health checks: images in OCI's format, Podman's, have none.
#
# COPY keeps the modes of the clone, which only its owner may read if it was made with umask 077; hence each chmod.

FROM docker.io/library/debian:13.8-slim AS set_up
COPY docker/set_up /usr/local/bin/
COPY docker/services docs/grants.sql /usr/local/lib/kalends/
RUN chmod 0755 /usr/local/bin/set_up \
    && chmod -R u=rwX,go=rX /usr/local/lib/kalends
# docker-compose.yml says that it is root, with one capability.
USER 65534
ENTRYPOINT ["set_up"]

FROM docker.io/library/rust:1.95.0-slim-trixie AS build
WORKDIR /build

# The dependencies alone, beside an empty program: a layer that is made anew only when they change.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/it \
    && touch src/lib.rs tests/it/main.rs \
    && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked

COPY sql sql
COPY src src
COPY web web
# Cargo goes by time, and what was copied may be older than the empty program.
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked

FROM docker.io/library/debian:13.8-slim
WORKDIR /srv/kalends

# A user for `docker run` alone; docker-compose.yml says whose the exports are.
RUN useradd --uid 10001 --no-create-home --home-dir /srv/kalends --shell /usr/sbin/nologin kalends \
    && install --directory --owner=kalends --group=kalends exports

# To verify servers elsewhere (sslmode=verify-full); the slim image has no certificates.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY docker/as_owner docker/health docker/schedule /usr/local/bin/
COPY insert_all_data.sh ./
COPY scripts scripts
RUN chmod 0755 /usr/local/bin/as_owner /usr/local/bin/health /usr/local/bin/schedule \
    && chmod -R u=rwX,go=rX insert_all_data.sh scripts
COPY --from=build /build/target/release/kalends /usr/local/bin/

USER 10001
ENTRYPOINT ["as_owner"]
CMD ["kalends", "--help"]
