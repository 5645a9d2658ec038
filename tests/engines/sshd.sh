#!/bin/sh
# A real sshd on loopback for tests: sshd.sh up|down|status DIR
#
# Everything lives in DIR (host key, user keys, config, known hosts, log); nothing outside is read or
# changed. SSHD_MAX_STARTUPS is its MaxStartups. `up` prints the port and leaves in DIR: port, user, id (a key that may log in), id_denied (one that
# may not), known_hosts, known_hosts_wrong (with another host key). Run as root or as any user, for that user.
# Exit codes: 0 done or running, 1 failed or not running, 2 usage, 3 sshd is not installed.
set -eu

usage() {
  echo 'usage: sshd.sh up|down|status DIR' >&2
  exit 2
}

running() {
  [ -s "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null
}

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

up() {
  sshd=$(command -v sshd || { [ -x /usr/sbin/sshd ] && echo /usr/sbin/sshd; } || true)
  if [ -z "$sshd" ]; then
    echo 'sshd is missing: install the openssh-server package' >&2
    exit 3
  fi
  if running; then
    cat "$dir/port"
    return
  fi
  mkdir -p "$dir"
  chmod 700 "$dir"
  dir=$(cd "$dir" && pwd)
  for key in host other id id_denied; do
    [ -f "$dir/$key" ] || ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$dir/$key"
  done
  cp "$dir/id.pub" "$dir/authorized_keys"
  id -un >"$dir/user"
  # As root, sshd wants the folder it locks its first stage in.
  [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
  for try in 1 2 3; do
    port=$(free_port)
    cat >"$dir/sshd_config" <<END
ListenAddress 127.0.0.1
Port $port
PidFile $dir/pid
HostKey $dir/host
AuthorizedKeysFile $dir/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
PrintMotd no
MaxStartups ${SSHD_MAX_STARTUPS:-100}
MaxSessions 100
END
    "$sshd" -f "$dir/sshd_config" -E "$dir/log" || continue
    for wait in 1 2 3 4 5 6 7 8 9 10; do
      if running; then
        echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$dir/host.pub")" >"$dir/known_hosts"
        echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$dir/other.pub")" >"$dir/known_hosts_wrong"
        echo "$port" | tee "$dir/port"
        return
      fi
      sleep 0.2
    done
  done
  echo "sshd does not start; its log:" >&2
  cat "$dir/log" >&2
  exit 1
}

down() {
  if running; then kill "$(cat "$dir/pid")"; fi
  rm -f "$dir/pid" "$dir/port"
}

[ $# -eq 2 ] || usage
dir=$2
case $1 in
  up) up ;;
  down) down ;;
  status)
    if running; then echo "running on port $(cat "$dir/port")"; else echo 'not running'; exit 1; fi
    ;;
  *) usage ;;
esac
