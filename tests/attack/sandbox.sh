#!/bin/sh
# sandbox.sh FOLDER COMMAND…: runs a command that can hurt nothing of this machine. Every file system is read-only
# but FOLDER, devices are none but the harmless ones, it sees and ends no processes but its own, and it has no
# capabilities. Needs root, or user namespaces for everybody. When this script is ended, all that it started ends.
set -eu
folder=$1
shift
if [ "${SANDBOX_INSIDE:-}" != yes ]; then
  as=
  [ "$(id -u)" = 0 ] || as='--user --map-root-user'
  # shellcheck disable=SC2086
  exec env SANDBOX_INSIDE=yes unshare $as --mount --pid --fork --kill-child --mount-proc -- sh "$0" "$folder" "$@"
fi
mkdir -p "$folder/tmp" "$folder/dev"
mount --bind "$folder" "$folder"
mount -t tmpfs -o mode=755,size=1m none "$folder/dev"
for device in null zero full random urandom; do
  : >"$folder/dev/$device"
  mount --bind "/dev/$device" "$folder/dev/$device"
done
ln -s /proc/self/fd "$folder/dev/fd"
mount --rbind "$folder/dev" /dev
while read -r _ _ _ _ place _; do
  case $place in
  "$folder" | "$folder"/* | /proc | /dev/*) ;;
  *) mount -o remount,bind,ro,nosuid "$place" 2>/dev/null || umount -l "$place" 2>/dev/null || true ;;
  esac
done </proc/self/mountinfo
if touch /usr/.sandbox 2>/dev/null; then
  echo "sandbox.sh: the machine is not read-only" >&2
  exit 70
fi
unset SANDBOX_INSIDE
# This shell stays, as the process that ends what others leave behind.
setpriv --no-new-privs --inh-caps -all --bounding-set -all -- env TMPDIR="$folder/tmp" HOME="$folder/tmp" "$@" &
wait $!
