#!/bin/sh
# Brings the programs that tests/bench/peers.ts compares with; each that cannot be had is named and left out.
#   peers.sh up      fetches or builds them, in ${PMAN_PEERS:-~/.cache/pman-peers}; pueue takes some minutes the first time
#   peers.sh down    removes them (what the system's packages brought stays)
# Needs: for task-spooler Debian and root, for pueue Rust's cargo, for PM2 npm, for HyperQueue Python 3 with venv.
set -u

home=${PMAN_PEERS:-$HOME/.cache/pman-peers}
lacks() { echo "peers.sh: $1 cannot be had: $2" >&2; }

case ${1-} in
    up)
        mkdir -p "$home"
        command -v tsp >/dev/null || apt-get install -y -qq task-spooler >/dev/null 2>&1 ||
            lacks task-spooler "its Debian package cannot be installed"
        [ -x "$home/pueue/bin/pueued" ] ||
            cargo install --quiet --locked pueue --version 4.0.4 --root "$home/pueue" >/dev/null 2>&1 ||
            lacks pueue "cargo cannot build it"
        [ -x "$home/pm2/node_modules/.bin/pm2" ] ||
            npm install --silent --prefix "$home/pm2" pm2@7.0.4 >/dev/null 2>&1 ||
            lacks PM2 "npm cannot install it"
        [ -e "$home/hq/bin/python3" ] || python3 -m venv "$home/hq"
        "$home/hq/bin/python3" -c 'import hyperqueue' 2>/dev/null ||
            "$home/hq/bin/pip" install --quiet hyperqueue==0.27.0 >/dev/null 2>&1 ||
            lacks HyperQueue "pip cannot install it" ;;
    down) rm -rf "$home" ;;
    *) sed -n '3,4p' "$0" >&2; exit 2 ;;
esac
