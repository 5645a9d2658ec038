#!/bin/sh
# The images of this project, built from its Dockerfiles, on a Docker Engine of their own:
#
#   tests/engines/images.sh up     DIR   start the engine, build; prints PMAN_TEST_IMAGES=unix://DIR/engine/docker.sock
#   tests/engines/images.sh down   DIR   end it and remove everything, DIR included
#   tests/engines/images.sh status DIR   exit 0 and the same line when the images are there, else exit 1
#
# The engine is its own because tests of other suites put other images under these names.
# Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something is missing.
set -eu

usage() { echo "usage: $0 up|down|status DIR" >&2; exit 2; }
[ $# -eq 2 ] || usage
here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath -m -- "$2")
export DOCKER_HOST="unix://$dir/engine/docker.sock"
# The builder that every engine has.
export DOCKER_BUILDKIT=0
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH || true

build() { docker build --quiet --network host "$@" >/dev/null 2>"$dir/build-log" || { cat "$dir/build-log" >&2; exit 1; }; }

up() {
  sh "$here/docker.sh" up "$dir/engine" >/dev/null
  sh "$here/baseImages.sh" up >&2
  build --tag fnndsc/pman "$here/../.."
  build --tag fnndsc/swarm "$here/../../swarm"
  echo "PMAN_TEST_IMAGES=$DOCKER_HOST"
}

down() {
  # Bridges that a test has left would outlive the engine.
  docker network prune --force >/dev/null 2>&1 || true
  sh "$here/docker.sh" down "$dir/engine"
  rm -rf "$dir"
}

case $1 in
  up) up ;;
  down) down ;;
  status) docker image inspect fnndsc/pman fnndsc/swarm >/dev/null 2>&1 && echo "PMAN_TEST_IMAGES=$DOCKER_HOST" ;;
  *) usage ;;
esac
