# The images of a cluster; sourced by kubernetes.sh.

pause=local/pause:latest

# The whole name, as the kubelet and docker read a short one.
full_name() {
  local name=$1
  case ${name##*/} in *:* | *@*) ;; *) name=$name:latest ;; esac
  case ${name%%/*} in
    "$name") name=docker.io/library/$name ;;
    localhost | *.* | *:*) ;; # a registry
    *) name=docker.io/$name ;;
  esac
  echo "$name"
}

has_image() { ctr images ls -q | grep -xF "$(full_name "$1")" >/dev/null; }

# import_image NAME ARCHIVE: under this name, and under those that the archive has for it. These may be the same, and a
# name that is given twice in one import is lost: so it gets a third one first.
import_image() {
  local draft=localhost/import:$$
  ctr images import --index-name "$draft" - <"$2" >&2
  ctr images tag --force "$draft" "$(full_name "$1")" >/dev/null
  ctr images rm "$draft" >/dev/null
}

# image_of_busybox NAME COMMAND: the archive of an image of one layer, as `docker save` writes it.
image_of_busybox() {
  local work=$dir/image architecture sum
  case $(uname -m) in x86_64) architecture=amd64 ;; aarch64) architecture=arm64 ;; *) architecture=$(uname -m) ;; esac
  rm -rf "$work"
  busybox_root "$work/root"
  tar -C "$work/root" --owner=0 --group=0 --numeric-owner -cf "$work/layer.tar" .
  sum=$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)
  cat >"$work/config.json" <<JSON
{"architecture": "$architecture", "os": "linux", "config": {"Cmd": $2, "Env": ["PATH=/bin"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$sum"]}}
JSON
  echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"$(full_name "$1")\"], \"Layers\": [\"layer.tar\"]}]" >"$work/manifest.json"
  tar -C "$work" -c manifest.json config.json layer.tar | ctr images import - >/dev/null
  rm -rf "$work"
}

# In every pod, one process keeps its namespaces: it sleeps for 68 years.
make_images() {
  has_image $busybox || image_of_busybox $busybox '["sh"]'
  has_image $pause || image_of_busybox $pause '["sleep", "2147483647"]'
}
