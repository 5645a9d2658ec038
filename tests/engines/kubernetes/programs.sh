# The cluster's programs, made from the sources that Go's module proxy has; sourced by kubernetes.sh.
#
# Takes 9 to 18 minutes on two cores the first time, seconds with Go's caches, nothing with our own: a build is kept
# below ${PMAN_KUBERNETES_CACHE:-~/.cache/pman-kubernetes} under the checksum of what it is made of.

sources=$here/kubernetes
version=$(sed -n 's/.*k8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' "$sources/go.mod")
builds=${PMAN_KUBERNETES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pman-kubernetes}

program_file() { if [ "$1" = containerd ]; then command -v containerd; else echo "$build_of_these/$1"; fi; }

# need PROGRAM...: exits with 3 when the user is not root or a program is missing.
need() {
  local packages
  packages=$(sed -n 's/^# apt-get install -y //p' "$0")
  require kubernetes.sh "$packages" "$@"
}

# Debian 12 has a Go that is too old.
need_go() {
  local wanted found
  wanted=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' "$sources/go.mod")
  found=$(cd / && go env GOVERSION 2>/dev/null) || found=go0
  if [ "$(printf '%s\n' "$wanted" "${found#go}" | sort -V | sed -n 1p)" != "$wanted" ]; then
    echo "kubernetes.sh: missing: Go $wanted or later (https://go.dev/dl)" >&2
    exit 3
  fi
}

build() {
  [ ! -d "$build_of_these" ] || return 0
  need_go
  mkdir -p "$builds"
  # Somebody else may be at it, such as the check of the whole project, which begins with it.
  (
    flock 9
    [ ! -d "$build_of_these" ] || exit 0
    make_programs "$build_of_these.draft" 9>&-
  ) 9>"$builds/lock" || fail "the programs cannot be built"
}

make_programs() {
  local draft=$1 minor=${version#v1.} package=k8s.io/component-base/version name
  rm -rf "$draft"
  mkdir "$draft"
  # As Kubernetes' own builds do. A version that is not told is v0.0.0, which clients take for very old.
  CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly go build -C "$sources" -trimpath -buildvcs=false \
    -ldflags "-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}" \
    -o "$draft/kubernetes" . >&2 || return 1
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl relay volumes; do
    ln -s kubernetes "$draft/$name"
  done
  mv "$draft" "$build_of_these"
}

# Under a checksum of all that it is made of.
build_of_these=$builds/$version-$({
  cat "$sources"/{main.go,go.mod,go.sum}
  declare -f make_programs
} | sha256sum | cut -c1-16)
