# What the engines' scripts share; sourced, after `dir` is set.

# A process that is there and not a zombie (in a container nobody may collect it).
alive() { [ -n "$1" ] && [ -r "/proc/$1/stat" ] && ! grep -q '^[0-9]* ([^)]*) Z' "/proc/$1/stat" 2>/dev/null; }
gone() { for pid; do ! alive "$pid" || return 1; done; }

# Repeats a test every 0.1 s, at most $1 times.
eventually() {
  left=$1; shift
  until "$@"; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 0.1; done
}

# The numbers of the other processes whose command line is like one of these patterns of `case`.
processes_like() {
  for entry in /proc/[0-9]*; do
    pid=${entry#/proc/}
    [ "$pid" != $$ ] && alive "$pid" || continue
    line=$(tr '\0' ' ' 2>/dev/null <"$entry/cmdline")
    for pattern; do
      case $line in $pattern) echo "$pid"; break ;; esac
    done
  done
}

# Ends processes at once.
end_processes() {
  [ $# -gt 0 ] || return 0
  kill -9 "$@" 2>/dev/null || true
  eventually 50 gone "$@" || fail "processes stay: $*"
}

# The deepest first: later mounts lie on earlier ones.
unmount_below() { grep -F " $1/" /proc/self/mounts | cut -d' ' -f2 | tac | while read -r at; do umount -l "$at"; done; }

# A file system that is nothing but busybox, with its applets as links.
busybox_root() {
  mkdir -p "$1/bin" "$1/tmp" "$1/etc" "$1/root"
  chmod 1777 "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  for applet in $("$1/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$1/etc/group"
}

# Exits with 3 when the user is not root or a program is missing: require <script> <packages> <program>...
require() {
  script=$1 packages=$2; shift 2
  lacking=
  [ "$(id -u)" = 0 ] || lacking="root,"
  for program; do command -v "$program" >/dev/null || lacking="$lacking $program,"; done
  [ -z "$lacking" ] || { echo "$script: missing: ${lacking%,} (apt-get install -y $packages)" >&2; exit 3; }
}
