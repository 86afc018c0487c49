# stakeout beside a service: one static program, certificates of authorities, and what the image is made of.
#
#   docker build -t stakeout .
#   docker run --read-only -v "$PWD/stakeout.yaml:/etc/stakeout/stakeout.yaml:ro" stakeout
#
# --platform linux/arm64 cross-builds with Debian's toolchain. scripts/image builds it byte for byte alike each time.

FROM --platform=$BUILDPLATFORM docker.io/library/debian:bookworm-slim AS build
ARG TARGETARCH

COPY scripts/setup /src/scripts/setup
RUN /src/scripts/setup image ${TARGETARCH:+image-$TARGETARCH}

COPY scripts/image.d/libraries scripts/image.d/*-used /src/scripts/image.d/
RUN /src/scripts/image.d/libraries /libraries $TARGETARCH

# npm's cache, from which the build takes speedscope: a layer that lasts until the lock file changes. Where a proxy has an
# authority of its own: --secret id=authorities,src=FILE.pem
COPY review/web/package.json review/web/package-lock.json /speedscope/
RUN --mount=type=secret,id=authorities NODE_EXTRA_CA_CERTS=/run/secrets/authorities \
    npm ci --prefix /speedscope --ignore-scripts --no-audit --no-fund

COPY . /src
ARG SOURCE_DATE_EPOCH=0
RUN SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH /src/scripts/image.d/program /libraries /build /image $TARGETARCH \
    && mkdir /state && touch -d @$SOURCE_DATE_EPOCH /state

# What scripts/crash-lines needs of this very build: docker build --target debug --output . .
FROM scratch AS debug
COPY --from=build /build/stakeout.debug /

FROM scratch
COPY --from=build /image /
COPY --from=build --chown=65532:65532 /state /var/lib/stakeout
USER 65532:65532
# What was freed goes back, and threads have no heaps of their own: 0.2 MB.
ENV GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.trim_threshold=65536:glibc.malloc.top_pad=8192
# A volume that is mounted here takes over the folder's owner, so that the agent can write to it.
VOLUME /var/lib/stakeout
ENTRYPOINT ["/stakeout"]
CMD ["run"]
LABEL org.opencontainers.image.title="stakeout" \
      org.opencontainers.image.description="Profiles a service while it spikes, from beside it" \
      org.opencontainers.image.documentation="/usr/share/doc/stakeout/sbom.spdx.json is what this image is made of"
