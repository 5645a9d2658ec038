# The cgroup of a cluster, which holds its programs and its pods, and by which all of them are found again; sourced by
# kubernetes.sh.

# The hierarchies of the kernel. Version 2 has one; of version 1, the first of these only counts processes.
hierarchies() {
  local each
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; return; fi
  echo /sys/fs/cgroup/pids
  for each in /sys/fs/cgroup/*; do
    [ "$each" = /sys/fs/cgroup/pids ] || [ -L "$each" ] || [ -f "$each/cgroup.controllers" ] ||
      [ ! -f "$each/cgroup.procs" ] || echo "$each"
  done
}
counting=$(hierarchies | sed -n 1p)

make_group() {
  local each
  for each in $(hierarchies); do mkdir -p "$each/$group"; done
  mkdir -p "$counting/$group/programs"
}

join_group() { echo "$BASHPID" >"$counting/$group/programs/cgroup.procs"; }

# The numbers of all processes of the cluster.
members() { find "$counting/$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true; }

end_some() {
  members | xargs -r kill -9 2>/dev/null || true
  [ -z "$(members)" ]
}
end_members() { eventually 100 end_some || fail "processes stay: $(members | tr '\n' ' ')"; }

# The runtime makes some also where nothing is counted.
remove_group() {
  local each
  for each in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ ! -d "$each/$group" ] || find "$each/$group" -depth -type d -exec rmdir {} + 2>/dev/null || return 1
  done
}
