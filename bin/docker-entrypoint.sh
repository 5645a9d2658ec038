#!/bin/sh
# What a container of this image starts with: makes a command of the arguments, and runs it as the user that
# RUN_AS names (`pman` unless told otherwise), who may also use the engine's socket when there is one.
set -eu

# `docker run IMAGE --port 5010` and `docker run IMAGE pman --port 5010` mean the same: both have been usual.
case ${1-} in '' | -*) set -- pman "$@" ;; esac

user=${RUN_AS:-pman}
# With `docker run --user` it is done already.
if [ "$(id -u)" != 0 ] || [ "$user" = root ]; then exec "$@"; fi

# A volume comes with the right owner, a folder of the host with any. Only this one is pman's alone: another place of the
# database may well be shared.
data=/var/lib/pman
[ ! -d "$data" ] || [ "$(stat --format %U "$data")" = "$user" ] || chown --recursive "$user:" "$data"

# The groups of `docker run --group-add`, and that of the engine's socket.
groups=$(id -G "$user"; id -G | tr ' ' '\n' | grep --invert-match --line-regexp 0 || true)
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
socket=${socket#unix://}
[ ! -S "$socket" ] || groups="$groups $(stat --format %g "$socket")"

HOME=$(getent passwd "$user" | cut -d: -f6)
export HOME
# shellcheck disable=SC2086 # the groups are words
exec setpriv --reuid "$user" --regid "$(id -g "$user")" --groups "$(echo $groups | tr ' ' ',')" -- "$@"
