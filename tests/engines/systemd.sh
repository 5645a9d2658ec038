#!/bin/sh
# A private, real systemd as the first process of namespaces of its own, for tests of the unit file:
#
#   tests/engines/systemd.sh up     [DIR]   start it; prints PMAN_TEST_SYSTEMD=<its process>
#   tests/engines/systemd.sh down   [DIR]   end it and all that runs in it, and remove DIR
#   tests/engines/systemd.sh status [DIR]   exit 0 and the same line when it is up, else exit 1
#
# DIR is /tmp/pman-systemd unless given. Every verb may be repeated. Its files are those of this machine, with an overlay in
# memory above them: what is written inside is gone with it. It has no network but its own loopback, and a control group
# of its own (version 2). The checkout is at /opt/pman. Inside runs a
# command: nsenter --target <its process> --all --root --wd
# Needs root and Debian's packages: apt-get install -y systemd util-linux busybox-static
# Exit codes: 0 done, 1 failed (systemd's last words are printed), 2 wrong usage, 3 something is missing.
set -eu

usage() { echo "usage: $0 up|down|status [DIR]" >&2; exit 2; }
fail() { echo "systemd.sh: $*" >&2; [ ! -f "$dir/log" ] || tail -n 15 "$dir/log" >&2; exit 1; }

[ $# -ge 1 ] && [ $# -le 3 ] || usage
verb=$1
dir=$(realpath -m -- "${2:-/tmp/pman-systemd}")
group_name=pman-systemd-$(printf %s "$dir" | cksum | cut -d' ' -f1)
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

# `down` removes the folder, so it has to be one that `up` made.
ours() { [ -d "$dir/root" ]; }
# Where groups of version 2 are mounted: alone, or beside those of version 1.
groups_mount() { while read -r _ at type _; do [ "$type" != cgroup2 ] || { echo "$at"; return 0; }; done </proc/self/mounts; }
first_process() { cat "$dir/pid" 2>/dev/null || true; }
inside() { nsenter --target "$(first_process)" --all --root --wd "$@"; }
answers() { alive "$(first_process)" && inside systemctl list-units >/dev/null 2>&1; }

# In a mount, process and group namespace of its own: makes the root, and becomes systemd.
boot() {
  mount -t tmpfs -o mode=755 tmpfs "$dir/space"
  mkdir "$dir/space/upper" "$dir/space/work"
  root=$dir/root
  mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/space/upper,workdir=$dir/space/work" "$root"
  mount -t proc proc "$root/proc"
  # The settings of the kernel are those of the whole machine.
  mount --bind -o ro "$root/proc/sys" "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for name in null zero full random urandom tty; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  # /tmp can be large, and is cleaned at a start.
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mkdir -p "$root/opt/pman"
  mount --bind -o ro "$(cd "$here/../.." && pwd)" "$root/opt/pman"
  busybox ip link set lo up
  # No unit of the machine but those that every service needs.
  rm -rf "$root"/etc/systemd/system/*.wants "$root/var/lib/systemd/linger"
  : >"$root/etc/fstab"
  for unit in systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service systemd-resolved.service \
    systemd-timesyncd.service systemd-logind.service systemd-sysctl.service systemd-modules-load.service \
    systemd-remount-fs.service systemd-update-utmp.service getty.target tmp.mount dbus.service dbus.socket; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  exec chroot "$root" env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=basic.target --log-target=console --log-level=notice --show-status=no
}

up() {
  require systemd.sh 'systemd util-linux busybox-static' /lib/systemd/systemd unshare nsenter busybox
  answers && { echo "PMAN_TEST_SYSTEMD=$(first_process)"; return 0; }
  ours || [ -z "$(ls -A "$dir" 2>/dev/null)" ] || { echo "systemd.sh: $dir holds other things" >&2; exit 2; }
  mkdir -p "$dir/root" "$dir/space"
  group=$(groups_mount)/$group_name
  mkdir -p "$group" 2>/dev/null || { echo 'systemd.sh: missing: control groups of version 2' >&2; exit 3; }
  # The shell moves into the group, and a namespace of groups then begins there.
  sh -c 'echo $$ >"$1/cgroup.procs"; exec setsid unshare --mount --propagation private --pid --fork --cgroup --net --uts --ipc \
    sh "$2" boot "$3" </dev/null >>"$3/log" 2>&1' - "$group" "$here/systemd.sh" "$dir" &
  outer=$!
  child() { cut -d' ' -f1 "/proc/$outer/task/$outer/children" 2>/dev/null; }
  started() { alive "$outer" || return 0; child >"$dir/pid"; answers; }
  eventually 300 started && answers || fail "systemd did not start"
  echo "PMAN_TEST_SYSTEMD=$(first_process)"
}

remove_group() { find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; [ ! -d "$1" ]; }

down() {
  [ -d "$dir" ] || return 0
  ours || { echo "systemd.sh: $dir is no folder of this script" >&2; exit 2; }
  # With its first process all processes of the namespace end, and its mounts go.
  pid=$(first_process)
  if alive "$pid"; then end_processes "$pid"; fi
  group=$(groups_mount)/$group_name
  [ ! -d "$group" ] || eventually 50 remove_group "$group" || fail "the control group $group stays"
  rm -rf "$dir"
}

case $verb in
  up) up ;;
  boot) boot ;;
  down) down ;;
  status) if answers; then echo "PMAN_TEST_SYSTEMD=$(first_process)"; else echo "no systemd is up in $dir" >&2; exit 1; fi ;;
  *) usage ;;
esac
