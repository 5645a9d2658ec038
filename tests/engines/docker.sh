#!/bin/sh
# A private, real Docker Engine in swarm mode, for tests:
#
#   tests/engines/docker.sh up     [DIR]   start it (again), make images; prints PMAN_TEST_DOCKER=unix://DIR/docker.sock
#   tests/engines/docker.sh join   DIR DIR2  the same, but as a worker in the swarm of the engine of DIR2, which is up
#   tests/engines/docker.sh stop   [DIR]   end it, its data stay: `up` brings it back
#   tests/engines/docker.sh down   [DIR]   end it and remove everything it made, DIR included
#   tests/engines/docker.sh status [DIR]   exit 0 and the same line when it answers, else exit 1
#
# DIR is /tmp/pman-engine unless given. Every verb may be repeated; `up` after the engine was killed starts it
# again on the same data. Needs root and Debian's packages: apt-get install -y docker.io busybox-static
# Exit codes: 0 done, 1 failed (the engine's last words are printed), 2 wrong usage, 3 something is missing.
#
# The engine shares nothing with another one on the machine: no default bridge, no iptables, its own cgroup, its own
# swarm ports and gateway. One GPU that is none. Images: local/busybox:latest; more names for it in PMAN_ENGINE_IMAGES,
# separated by blanks.
# It prefers local images, so that tests never wait for a registry; DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=0 for
# the engine's own habit of asking one first.
set -eu

usage() { echo "usage: $0 up|stop|down|status [DIR], or $0 join DIR DIR2" >&2; exit 2; }
fail() { echo "docker.sh: $*" >&2; [ ! -f "$dir/log" ] || tail -n 15 "$dir/log" >&2; exit 1; }

case ${1:-}:$# in join:3 | [!j]*:1 | [!j]*:2) ;; *) usage ;; esac
verb=$1
manager=${3:+unix://$(realpath -m -- "$3")/docker.sock}
dir=$(realpath -m -- "${2:-${PMAN_ENGINE_DIR:-/tmp/pman-engine}}")
socket=$dir/docker.sock
number=$(printf %s "$dir" | cksum | cut -d' ' -f1)
cgroup=pman-engine-$number
gateway=pm$number
export DOCKER_HOST="unix://$socket"
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH || true
. "$(dirname "$0")/common.sh"

# `down` removes the folder, so it has to be one that `up` made.
ours() { [ -f "$dir/daemon.json" ]; }

answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Everything that belongs to this engine has its folder in its command line: dockerd, containerd and the shims.
processes() { processes_like "dockerd *$dir/*" "containerd *$dir/*" "*/containerd-shim*$dir/*"; }

# The processes of its containers: they outlive an engine that was killed.
contained() { cat $(find /sys/fs/cgroup -path "*/$cgroup*" -name cgroup.procs 2>/dev/null) /dev/null | sort -u; }

start_engine() {
  # After a kill -9 the numbers of the dead may still be on disk, and dockerd would wait for a dead containerd.
  for file in "$dir/pid" "$dir/exec/containerd/containerd.pid"; do
    [ ! -f "$file" ] || alive "$(cat "$file")" || rm -f "$file"
  done
  DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=${DOCKER_SERVICE_PREFER_OFFLINE_IMAGE:-1} \
    setsid dockerd --bridge=none --iptables=false --ip-masq=false --cgroup-parent="/$cgroup" \
    --data-root "$dir/data" --exec-root "$dir/exec" -p "$dir/pid" -H "$DOCKER_HOST" \
    --config-file "$dir/daemon.json" --shutdown-timeout 5 </dev/null >>"$dir/log" 2>&1 &
  daemon=$!
  started() { answers || ! alive "$daemon"; }
  eventually 300 started && answers || fail "the engine did not start"
}

swarm_state() { docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}'; }
swarm_ready() { [ "$(swarm_state)" = 'active true' ] && docker service ls -q >/dev/null 2>&1; }

# The way out of the swarm's networks, by the network that the swarm looks for. All engines of a machine would share its
# interface, and the first to end would take it from the others: this one has its own.
gateway_network() {
  docker network inspect docker_gwbridge >/dev/null 2>&1 ||
    docker network create --opt com.docker.network.bridge.name="$gateway" --opt com.docker.network.bridge.enable_icc=false \
      docker_gwbridge >/dev/null
}

# A worker needs an address of its own on this machine.
swarm_join() {
  case $(swarm_state) in inactive*) ;; *) return 0 ;; esac
  address=127.$((number % 200 + 2)).$((number / 200 % 250)).2
  token=$(docker -H "$manager" swarm join-token -q worker)
  to=$(docker -H "$manager" info --format '{{(index .Swarm.RemoteManagers 0).Addr}}')
  docker swarm join --advertise-addr "$address" --listen-addr "$address:2377" --token "$token" "$to" >/dev/null ||
    fail "it cannot join the swarm at $to"
}

swarm_init() {
  case $(swarm_state) in inactive*) ;; *) eventually 600 swarm_ready || fail "the swarm is not back"; return 0 ;; esac
  port=$((20000 + number % 10000))
  for try in 1 2 3 4 5; do
    docker swarm init --advertise-addr 127.0.0.1 --listen-addr "127.0.0.1:$port" --data-path-port $((port - 10000)) >/dev/null 2>"$dir/init-error" && return 0
    port=$((port + 1))
  done
  cat "$dir/init-error" >&2
  fail "no swarm"
}

# A container that is nothing but busybox, with its applets as links.
busybox_image() {
  docker image inspect local/busybox:latest >/dev/null 2>&1 && return 0
  root=$dir/image
  busybox_root "$root"
  tar -C "$root" -c . | docker import --change 'CMD ["sh"]' - local/busybox:latest >/dev/null
  rm -rf "$root"
}

up() {
  require docker.sh 'docker.io busybox-static' dockerd docker containerd runc busybox
  ours || [ -z "$(ls -A "$dir" 2>/dev/null)" ] || { echo "docker.sh: $dir holds other things" >&2; exit 2; }
  mkdir -p "$dir"
  # Not the machine's own /etc/docker/daemon.json. The swarm believes in one GPU on this node.
  [ -f "$dir/daemon.json" ] || echo '{"node-generic-resources": ["NVIDIA-GPU=gpu-0"]}' >"$dir/daemon.json"
  [ -d /run/docker ] || : >"$dir/made-run-docker"
  answers || start_engine
  gateway_network
  if [ -n "$manager" ]; then swarm_join; else swarm_init; fi
  busybox_image
  for name in ${PMAN_ENGINE_IMAGES:-}; do docker tag local/busybox:latest "$name"; done
  echo "PMAN_TEST_DOCKER=$DOCKER_HOST"
}

stop_engine() {
  daemon=$(cat "$dir/pid" 2>/dev/null || true)
  alive "$daemon" || return 0
  kill "$daemon"
  eventually 150 gone "$daemon"
}

down() {
  [ -d "$dir" ] || return 0
  ours || { echo "docker.sh: $dir is no folder of an engine" >&2; exit 2; }
  if answers; then
    services=$(docker service ls -q 2>/dev/null) || services= # a worker knows none
    [ -z "$services" ] || docker service rm $services >/dev/null
    docker swarm leave --force >/dev/null 2>&1 || true
    containers=$(docker ps -aq)
    [ -z "$containers" ] || docker rm -f $containers >/dev/null 2>&1 || true
  fi
  stop_engine || true
  end_processes $(processes) $(contained)
  unmount_below "$dir"
  [ ! -d "/sys/class/net/$gateway" ] || busybox ip link del "$gateway"
  [ ! -f "$dir/made-run-docker" ] || rmdir /run/docker/plugins /run/docker 2>/dev/null || true
  for group in /sys/fs/cgroup/*/"$cgroup" /sys/fs/cgroup/"$cgroup"; do
    [ ! -d "$group" ] || eventually 30 remove_group "$group" || fail "the cgroup $group stays"
  done
  rm -rf "$dir"
}
remove_group() { find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; [ ! -d "$1" ]; }

case $verb in
  up | join) up ;;
  stop) stop_engine || fail "the engine does not end" ;;
  down) down ;;
  status) if answers; then echo "PMAN_TEST_DOCKER=$DOCKER_HOST"; else echo "no engine answers at $DOCKER_HOST" >&2; exit 1; fi ;;
  *) usage ;;
esac
