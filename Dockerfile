# The image of `data_tools`: kalends, a shell and the main job. Builds with BuildKit and with the classic builder.

FROM rust:1.95.0-slim-trixie AS build
WORKDIR /build

# The dependencies alone, beside an empty program: a layer that is made anew only when they change.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/it \
    && touch src/lib.rs tests/it/main.rs \
    && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked

COPY sql sql
COPY src src
# Cargo goes by time, and what was copied may be older than the empty program.
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked

FROM debian:13.7-slim
WORKDIR /srv/kalends

# A user for `docker run` alone; docker-compose.yml says whose the exports are.
RUN useradd --uid 10001 --no-create-home --home-dir /srv/kalends --shell /usr/sbin/nologin kalends \
    && install --directory --owner=kalends --group=kalends exports

# To verify servers elsewhere (sslmode=verify-full); the slim image has no certificates.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY docker/as_owner docker/health docker/schedule /usr/local/bin/
COPY insert_all_data.sh ./
COPY scripts scripts
COPY --from=build /build/target/release/kalends /usr/local/bin/

USER 10001
# Docker knows 0 and 1 only. Long enough apart to cost nothing, three in a row before it counts: between `prepare` and
# `export` files are due for a moment.
HEALTHCHECK --interval=30s --timeout=20s --start-period=20s --retries=3 CMD ["as_owner", "health"]
ENTRYPOINT ["as_owner"]
CMD ["kalends", "--help"]
