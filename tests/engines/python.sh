#!/bin/sh
# Python's HTTPie, requests, pyzmq and http.client, a generator of clients, and the original pman, for the tests that hold ours against them.
#   python.sh up      builds the environment once, in ${PMAN_ENGINE_CACHE:-~/.cache/pman-engines}/python
#   python.sh status  exit 0: usable; exit 3: not, with the reason on stdout
#   python.sh down    nothing runs; removes the environment with --purge
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=${PMAN_ENGINE_CACHE:-$HOME/.cache/pman-engines}/python
stamp=$(cat "$here/python/requirements.txt" "$here/python/originals.txt" "$0" | cksum | cut -d' ' -f1)

missing() {
    if [ ! -x "$home/bin/python" ]; then echo "tests/engines/python.sh up has not been run"
    elif [ "$(cat "$home/stamp" 2>/dev/null)" != "$stamp" ]; then echo "its packages are outdated: run tests/engines/python.sh up"
    fi
}

up() {
    [ -n "$(missing)" ] || return 0
    command -v python3 >/dev/null || { echo "python3 is not installed" >&2; exit 3; }
    rm -rf "$home"
    mkdir -p "$home"
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt"
    # No dependencies: see originals.txt.
    "$home/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/python/originals.txt"
    PYTHONPATH=$here/python "$home/bin/python" -c 'import zmq, httpie, requests, openapi_python_client, pman; from pfmisc.C_snode import C_stree'
    echo "$stamp" > "$home/stamp"
}

case ${1-} in
    up) up ;;
    down) if [ "${2-}" = --purge ]; then rm -rf "$home"; fi ;;
    status)
        reason=$(missing)
        [ -z "$reason" ] || { echo "$reason"; exit 3; }
        echo "$home" ;;
    *) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
