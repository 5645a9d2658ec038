# pman, pfioh, purl and the rest of the family in one image; docs/docker.md tells how to use it.
#
#   docker build --tag fnndsc/pman .
#   docker run --rm fnndsc/pman --rawmode 1 --http --port 5010 --listeners 12

FROM node:24-bookworm-slim AS build
WORKDIR /build/app
COPY package.json package-lock.json .npmrc ./
# What the programs need. The scripts of packages have nothing to do here: zeromq and koffi bring their binaries.
RUN npm ci --omit=dev --ignore-scripts --loglevel=error
# Of the packages for development only the one that bundles, and those that are bundled. One folder up they are found,
# and stay out of the image.
RUN cd .. && npm install --no-save --loglevel=error $(node -p '["esbuild", "preact", "get-east-asian-width"].map((name) => \
    name + "@" + require("./app/package-lock.json").packages["node_modules/" + name].version).join(" ")')
COPY . .
# Of zeromq's binaries, only those for this system stay.
RUN node .ci/bundle.mjs \
 && node .ci/codeCache.mjs \
 && rm -r dist/bin/*.map \
 && find node_modules/zeromq/build -name '*.node' ! -path "*/linux/$(node -p process.arch)/node/glibc-*" -delete

# Not Node's image again: it also has npm and the headers of Node, which nothing here needs.
FROM debian:bookworm-slim
# tini collects the processes that jobs leave behind. pman as process 1 would not.
RUN apt-get update -qq \
 && apt-get install -qq --yes --no-install-recommends tini >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log \
 && useradd --uid 1000 --user-group --create-home --shell /bin/bash pman \
 && install --directory --owner pman --group root --mode 775 /var/lib/pman
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /build/app/package.json /build/app/LICENSE /app/
COPY --from=build /build/app/node_modules /app/node_modules
COPY --from=build /build/app/dist /app/dist
COPY bin/docker-entrypoint.sh /usr/local/bin/pman-entrypoint
RUN for program in pman pman_do pman_health pfioh purl swarm crunner; do \
      ln -s "/app/dist/bin/$program.cjs" "/usr/local/bin/$program"; \
    done \
 && ln -s purl /usr/local/bin/pfurl

# A port that docker publishes leads to the container's own address, not to its loopback.
ENV PMAN_IP=0.0.0.0 \
    PMAN_DBPATH=/var/lib/pman/db
WORKDIR /var/lib/pman
EXPOSE 5010 5055
# Starts as root and goes on as `pman`: see the script.
ENTRYPOINT ["tini", "--", "pman-entrypoint"]
CMD ["--rawmode", "1", "--http", "--port", "5010", "--listeners", "12"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["pman_health"]
LABEL org.opencontainers.image.title=pman \
      org.opencontainers.image.description="Runs commands that other software asks for over HTTP" \
      org.opencontainers.image.licenses=MIT
