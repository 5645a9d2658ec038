#!/bin/sh
# The public images that this project's Dockerfiles begin with, made here for machines that cannot pull them: Debian
# from its packages, and on it Node and npm from their packages on the npm registry.
#
#   tests/engines/baseImages.sh up       makes them once, below ${PMAN_ENGINE_CACHE:-~/.cache/pman-engines}/images, and
#                                        gives them to the engine of DOCKER_HOST under their public tags
#   tests/engines/baseImages.sh status   exit 0: they are made; exit 3: not
#   tests/engines/baseImages.sh down     nothing runs; removes what was made with --purge
#
# Node's image also knows how this machine reaches the npm registry (its certificates, its registry), so that no
# Dockerfile has to. Needs root and Debian's packages: apt-get install -y mmdebstrap debian-archive-keyring
set -eu

node_version=24 # of node:24-bookworm-slim; the newest there is
npm_version=11
home=${PMAN_ENGINE_CACHE:-$HOME/.cache/pman-engines}/images
stamp=$(cksum <"$0" | cut -d' ' -f1)

made() { [ "$(cat "$home/stamp" 2>/dev/null)" = "$stamp" ]; }

# Without what the public slim image leaves out, too.
make_debian() {
  mmdebstrap --quiet --variant=minbase --include=usr-is-merged \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
    bookworm "$1/debian.tar"
}

# What npm has packed, unpacked into a folder.
unpack() {
  (cd "$1" && npm pack --silent "$2" >/dev/null)
  mkdir -p "$3"
  tar -xzf "$1"/*.tgz -C "$3" --strip-components=1
  rm "$1"/*.tgz
}

make_node() {
  case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) echo "no Node for $(uname -m)" >&2; exit 3 ;; esac
  unpack "$1" "node-linux-$arch@$node_version" "$1/node/usr/local"
  # The headers are for compilers, and there is none.
  rm -rf "$1"/node/usr/local/*.* "$1"/node/usr/local/include
  unpack "$1" "npm@$npm_version" "$1/node/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/node/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/node/usr/local/bin/npx"
  chmod +x "$1"/node/usr/local/lib/node_modules/npm/bin/*.js
}

# How this machine reaches the registry.
write_settings() {
  mkdir -p "$1/usr/local/etc"
  for key in registry cafile; do
    value=$(npm config get "$key" 2>/dev/null)
    case $value in '' | null | undefined) ;; *) echo "$key=$value" ;; esac
  done >"$1/usr/local/etc/npmrc"
  authorities=$(npm config get cafile 2>/dev/null)
  if [ -f "$authorities" ]; then
    mkdir -p "$1$(dirname "$authorities")"
    cp -L "$authorities" "$1$authorities"
  fi
}

make_all() {
  command -v mmdebstrap >/dev/null || { echo "missing: mmdebstrap (apt-get install -y mmdebstrap)" >&2; exit 3; }
  mkdir -p "$(dirname "$home")"
  draft=$(mktemp -d "$home.XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  make_debian "$draft"
  make_node "$draft"
  write_settings "$draft/node"
  printf 'FROM debian:bookworm-slim\nCOPY node/ /\nCMD ["node"]\n' >"$draft/Dockerfile"
  echo "$stamp" >"$draft/stamp"
  rm -rf "$home"
  mv "$draft" "$home"
}

up() {
  made || make_all
  docker import --change 'CMD ["bash"]' - debian:bookworm-slim <"$home/debian.tar" >/dev/null
  tar -C "$home" -c Dockerfile node | DOCKER_BUILDKIT=0 docker build --quiet --tag node:24-bookworm-slim - >/dev/null
}

case ${1-} in
  up) up ;;
  down) if [ "${2-}" = --purge ]; then rm -rf "$home"; fi ;;
  status) made || { echo "tests/engines/baseImages.sh up has not been run"; exit 3; } ;;
  *) sed -n '5,8p' "$0" >&2; exit 2 ;;
esac
