# stakeout beside a service: the binary, its libraries and CA certificates, and nothing else.
#
#   docker build -t stakeout .
#   docker run --read-only -v "$PWD/stakeout.yaml:/etc/stakeout/stakeout.yaml:ro" stakeout

FROM docker.io/library/debian:bookworm-slim AS build

COPY scripts/setup /src/scripts/setup
RUN /src/scripts/setup image

# npm's cache, from which the build takes speedscope: a layer that lasts until the lock file changes.
COPY review/web/package.json review/web/package-lock.json /speedscope/
RUN npm ci --prefix /speedscope --ignore-scripts --no-audit --no-fund

COPY . /src
RUN cmake -S /src -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSTAKEOUT_TESTS=OFF \
        -DSTAKEOUT_SPEEDSCOPE=ON \
    && ninja -C /build stakeout \
    && objcopy --only-keep-debug /build/stakeout /build/stakeout.debug \
    && strip /build/stakeout

# The image's root: every library goes to where the loader looks for it. ldd does not list what is loaded by name: what
# commands/on_demand.c loads, and libgcc_s, which glibc loads when a thread is cancelled.
RUN set -eu; \
    install -D /build/stakeout /image/stakeout; \
    by_name=$(ldconfig -p | grep -oE '/[^ ]*/lib(curl\.so\.4|microhttpd\.so\.12|crypto\.so\.3|gcc_s\.so\.1)$'); \
    { echo "$by_name"; for file in /build/stakeout $by_name; do ldd "$file" | grep -o '/[^ ]*'; done; } | sort -u | \
        while read -r library; do install -D -m 755 "$library" "/image$library"; done; \
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt; \
    mkdir -p /image/etc/stakeout /image/var/lib /state

# What scripts/crash-lines needs of this very build: docker build --target debug --output . .
FROM scratch AS debug
COPY --from=build /build/stakeout.debug /

FROM scratch
COPY --from=build /image /
COPY --from=build --chown=65532:65532 /state /var/lib/stakeout
USER 65532:65532
# A volume that is mounted here takes over the folder's owner, so that the agent can write to it.
VOLUME /var/lib/stakeout
ENTRYPOINT ["/stakeout"]
CMD ["run"]
LABEL org.opencontainers.image.title="stakeout" \
      org.opencontainers.image.description="Profiles a service while it spikes, from beside it"
