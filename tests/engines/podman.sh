#!/bin/sh
# A private, real Podman with its Docker-compatible socket, for tests:
#
#   tests/engines/podman.sh up     [DIR]   start it (again), make images; prints PMAN_TEST_PODMAN=unix://DIR/podman.sock
#   tests/engines/podman.sh stop   [DIR]   end its service; containers go on, `up` brings it back
#   tests/engines/podman.sh down   [DIR]   end it and remove everything it made, DIR included
#   tests/engines/podman.sh status [DIR]   exit 0 and the same line when it answers, else exit 1
#
# DIR is /tmp/pman-podman unless given. Every verb may be repeated. Needs root and Debian's packages:
# apt-get install -y podman busybox-static curl
# Exit codes: 0 done, 1 failed (the service's last words are printed), 2 wrong usage, 3 something is missing.
#
# It shares nothing with another Podman on the machine: its own storage, locks, events and settings. Containers have the
# host's network, since a bridge may not be possible. Images: local/busybox:latest, local/cmd:latest (with a command of its own).
set -eu

usage() { echo "usage: $0 up|stop|down|status [DIR]" >&2; exit 2; }
fail() { echo "podman.sh: $*" >&2; [ ! -f "$dir/log" ] || tail -n 15 "$dir/log" >&2; exit 1; }

[ $# -ge 1 ] && [ $# -le 2 ] || usage
verb=$1
dir=$(realpath -m -- "${2:-/tmp/pman-podman}")
socket=$dir/podman.sock
export CONTAINERS_CONF="$dir/containers.conf" CONTAINERS_STORAGE_CONF="$dir/storage.conf"
export CONTAINERS_REGISTRIES_CONF="$dir/registries.conf"
unset CONTAINER_HOST CONTAINER_CONNECTION || true
. "$(dirname "$0")/common.sh"

# `down` removes the folder, so it has to be one that `up` made.
ours() { [ -f "$dir/containers.conf" ]; }
answers() { curl -sf --max-time 5 --unix-socket "$socket" http://podman/_ping >/dev/null 2>&1; }

# Whatever has this folder in its command line: the service and the containers' monitors.
processes() { processes_like "podman *$dir/*" "*/podman *$dir/*" "*/conmon *$dir/*"; }

settings() {
  # What Podman gives to containers by default may be more than this machine allows.
  files=$(ulimit -Hn); [ "$files" != unlimited ] && [ "$files" -lt 1024 ] || files=1024
  cat >"$dir/containers.conf" <<END
[containers]
netns = "host"
default_ulimits = ["nofile=$files:$files", "nproc=1024:1024"]
[network]
default_network = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "$dir/tmp"
END
  echo 'unqualified-search-registries = []' >"$dir/registries.conf"
  # Layers by overlay where the kernel can, by copies elsewhere.
  for driver in overlay vfs; do
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$driver" "$dir/root" "$dir/run" >"$dir/storage.conf"
    if podman info >/dev/null 2>"$dir/log"; then return 0; fi
    rm -rf "$dir/root" "$dir/run"
  done
  fail "no storage"
}

start_service() {
  rm -f "$socket"
  cd "$dir" # its monitors leave a file "oom" where they are
  setsid podman system service --time 0 "unix://$socket" </dev/null >>"$dir/log" 2>&1 &
  echo $! >"$dir/pid"
  started() { answers || ! alive "$(cat "$dir/pid")"; }
  eventually 300 started && answers || fail "the service did not start"
}

# Images that are nothing but busybox, with its applets as links.
images() {
  podman image exists local/cmd:latest 2>/dev/null && return 0
  root=$dir/image
  busybox_root "$root"
  tar -C "$root" -cf "$dir/image.tar" .
  podman import -q --change 'CMD sh' "$dir/image.tar" docker.io/local/busybox:latest >/dev/null
  podman import -q --change 'CMD ["echo", "the command of the image"]' "$dir/image.tar" docker.io/local/cmd:latest >/dev/null
  rm -rf "$root" "$dir/image.tar"
}

up() {
  require podman.sh 'podman busybox-static curl' podman conmon busybox curl
  ours || [ -z "$(ls -A "$dir" 2>/dev/null)" ] || { echo "podman.sh: $dir holds other things" >&2; exit 2; }
  mkdir -p "$dir"
  [ -f "$dir/storage.conf" ] || settings
  answers || start_service
  images
  echo "PMAN_TEST_PODMAN=unix://$socket"
}

stop_service() {
  service=$(cat "$dir/pid" 2>/dev/null || true)
  alive "$service" || return 0
  kill "$service"
  eventually 150 gone "$service"
}

down() {
  [ -d "$dir" ] || return 0
  ours || { echo "podman.sh: $dir is no folder of an engine" >&2; exit 2; }
  stop_service || true
  podman rm --all --force --time 0 >/dev/null 2>&1 || true
  end_processes $(processes)
  unmount_below "$dir"
  rm -rf "$dir"
}

case $verb in
  up) up ;;
  stop) stop_service || fail "the service does not end" ;;
  down) down ;;
  status) if answers; then echo "PMAN_TEST_PODMAN=unix://$socket"; else echo "no engine answers at unix://$socket" >&2; exit 1; fi ;;
  *) usage ;;
esac
