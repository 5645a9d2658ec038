#!/usr/bin/env bash
# A private, real Kubernetes cluster of one node, for tests:
#
#   tests/engines/kubernetes.sh up     DIR                start it (again), run a pod; prints the lines below
#   tests/engines/kubernetes.sh status DIR                exit 0 and the same lines when it is ready, else exit 1
#   tests/engines/kubernetes.sh down   DIR                end it and remove everything it made, DIR included
#   tests/engines/kubernetes.sh stop   DIR PROGRAM        end one program in order; `kill`: at once
#   tests/engines/kubernetes.sh start  DIR PROGRAM        start it again
#   tests/engines/kubernetes.sh image  DIR NAME ARCHIVE   give it an image: what `docker save` or podman has written
#   tests/engines/kubernetes.sh build                     only make its programs, which `up` does otherwise
#
#   PMAN_TEST_KUBERNETES=DIR/kubeconfig    of the administrator
#   PMAN_TEST_KUBERNETES_DIR=DIR           for the verbs above; a cluster of somebody else has none
#   PMAN_TEST_KUBERNETES_IMAGE=NAME        busybox; more names for it in PMAN_ENGINE_IMAGES, separated by blanks
#   PMAN_TEST_KUBECTL=FILE                 a kubectl of the same version
#
# PROGRAM is one of etcd kube-apiserver kube-controller-manager kube-scheduler kubelet containerd relay volumes. What was
# ended stays ended until `start` or `up`. Every verb may be repeated; `up` after a kill -9 of everything goes on with the
# same data and the same address.
# Needs root, Go 1.26 and Debian's packages:
# apt-get install -y containerd runc containernetworking-plugins busybox-static iproute2 openssl
# Exit codes: 0 done, 1 failed (the last words are printed), 2 wrong usage, 3 something is missing.
#
# It shares nothing with another engine or cluster on the machine: ports, bridge, cgroup and mount namespace are its
# own. A pod reaches pods, the node and the API server, and nothing else; of services only `kubernetes` has a route.
# No registry can be reached, so a pull fails at once. One GPU that is none. Claims get their volume on demand.
# A pod may not see what the host mounts after `up`.
set -euo pipefail

usage() { sed -n '4,10p' "$0" >&2; exit 2; }
fail() { echo "kubernetes.sh: $*" >&2; exit 1; }
# fail_with LOG WORDS...
fail_with() { tail -n 15 "$dir/log/$1" >&2 || true; shift; fail "$@"; }

case ${1:-}:$# in
  build:1 | up:2 | status:2 | down:2 | stop:3 | kill:3 | start:3 | image:4) ;;
  *) usage ;;
esac
verb=$1
dir=$(realpath -m -- "${2:-/}")
number=$(printf %s "$dir" | cksum | cut -d' ' -f1)
group=pman-kubernetes-$number
bridge=pmk$number
node=node
busybox=local/busybox:latest
programs=(etcd containerd kube-apiserver relay kube-controller-manager kube-scheduler kubelet volumes)
# What is in DIR/addresses: the first three numbers of the node's addresses, and four ports of the loopback.
subnet='' api_port='' etcd_port='' etcd_peer_port='' kubelet_port=''

here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"
for part in programs cgroups configuration images; do . "$here/kubernetes/$part.sh"; done

kubectl() { KUBERC=off "$(program_file kubectl)" --kubeconfig "$dir/kubeconfig" --cache-dir "$dir/kubectl-cache" "$@"; }

# `down` removes the folder, so it has to be one that `up` made.
ours() { [ -f "$dir/addresses" ]; }

# --- programs ---

pid_of() { cat "$dir/pids/$1" 2>/dev/null; }

# The number may be another process's by now: only one of this cluster counts.
running() {
  local pid
  pid=$(pid_of "$1") && alive "$pid" && members | grep -x "$pid" >/dev/null
}

# launch NAME COMMAND...: starts it in the cluster's cgroup, to outlive this script.
launch() {
  local name=$1
  shift
  (
    cd "$dir"
    join_group
    exec setsid "$@" </dev/null >>"$dir/log/$name" 2>&1
  ) &
  echo $! >"$dir/pids/$name"
}

# What the programs take for the machine's own. In the cluster's mount namespace, folders of DIR are there.
own_folders() { printf '%s\n' /run/containerd /var/lib/{containerd,cni,kubelet} /var/log/{containers,pods} /tmp/hostpath_pv; }

# The kubelet writes these, and they hold for the whole machine. In the namespace they are plain files.
own_kernel_settings() {
  printf '%s\n' 'vm/overcommit_memory 1' 'vm/panic_on_oom 0' 'kernel/panic 10' 'kernel/panic_on_oops 1' \
    'kernel/keys/root_maxkeys 1000000' 'kernel/keys/root_maxbytes 25000000'
}

# Nobody may remove a folder of the machine that is mounted over in a namespace: the kernel would undo the mount. So each
# cluster has a file in it.
hold_folder() {
  [ -d "$1" ] || { mkdir -p "$1"; : >"$1/.made-by-pman"; }
  : >"$1/.$group"
}
# The last cluster removes what was made for the first.
leave_folder() {
  rm -f "$1/.$group"
  [ "$(ls -A "$1" 2>/dev/null)" = .made-by-pman ] || return 0
  rm "$1/.made-by-pman"
  rmdir "$1"
}

# A process that does nothing but keep the mount namespace.
start_namespace() {
  local path setting value
  echo 'mount --make-rshared /' >"$dir/mounts"
  for path in $(own_folders); do
    hold_folder "$path"
    mkdir -p "$dir/root$path"
    echo "mount --bind '$dir/root$path' '$path'" >>"$dir/mounts"
  done
  own_kernel_settings | while read -r setting value; do
    mkdir -p "$dir/root/sys/${setting%/*}"
    echo "$value" >"$dir/root/sys/$setting"
    echo "mount --bind '$dir/root/sys/$setting' '/proc/sys/$setting'" >>"$dir/mounts"
  done
  rm -f "$dir/mounted"
  launch namespace unshare --mount --propagation slave sh -ec ". '$dir/mounts'; : >'$dir/mounted'; exec sleep 2147483647"
  eventually 100 [ -f "$dir/mounted" ] || fail_with namespace "no mount namespace can be made"
}
inside() { nsenter --mount="/proc/$(pid_of namespace)/ns/mnt" -- "$@"; }
ctr() { inside ctr --address /run/containerd/containerd.sock --namespace k8s.io "$@"; }

start_program() {
  running "$1" && return
  local words=()
  mapfile -t words < <("arguments_of_${1//-/_}")
  launch "$1" nsenter --mount="/proc/$(pid_of namespace)/ns/mnt" -- "$(program_file "$1")" "${words[@]}"
}

stop_program() {
  running "$1" || return 0
  local pid
  pid=$(pid_of "$1")
  kill "$pid"
  eventually 100 gone "$pid" || end_processes "$pid"
}

kill_program() { ! running "$1" || end_processes "$(pid_of "$1")"; }

# --- the cluster ---

make_bridge() {
  [ -d "/sys/class/net/$bridge" ] || ip link add "$bridge" type bridge
  ip address replace "$subnet.1/25" dev "$bridge"
  ip address replace "$subnet.129/32" dev "$bridge" # the service `kubernetes`
  ip link set "$bridge" up
}

api_answers() { kubectl get --raw /readyz >/dev/null 2>&1; }
node_is_ready() {
  [ "$(kubectl get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null)" = True ]
}

lines() {
  printf '%s\n' "PMAN_TEST_KUBERNETES=$dir/kubeconfig" "PMAN_TEST_KUBERNETES_DIR=$dir" \
    "PMAN_TEST_KUBERNETES_IMAGE=$busybox" "PMAN_TEST_KUBECTL=$(program_file kubectl)"
}

# A node counts as ready for a while after its programs have ended: so these are looked at, too.
status() {
  local program
  ours || return 1
  for program in namespace "${programs[@]}"; do running "$program" || return 1; done
  api_answers && node_is_ready && lines
}

start_cluster() {
  end_members
  choose_addresses
  make_certificates
  write_configuration
  make_group
  start_namespace
  make_bridge
  for program in etcd containerd kube-apiserver relay volumes; do start_program "$program"; done
  eventually 150 ctr version >/dev/null 2>&1 || fail_with containerd "containerd does not answer"
  make_images
  eventually 900 api_answers || fail_with kube-apiserver "the API server does not answer"
  for program in kube-controller-manager kube-scheduler kubelet; do start_program "$program"; done
  eventually 900 node_is_ready || fail_with kubelet "the node does not get ready"
}

# A class of volumes for claims that name none; a device that pods can ask for, and cannot use.
furnish() {
  kubectl apply -f - >/dev/null <<'YAML'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/host-path
YAML
  kubectl patch node "$node" --subresource status --patch \
    '{"status": {"capacity": {"nvidia.com/gpu": "1"}, "allocatable": {"nvidia.com/gpu": "1"}}}' >/dev/null
}

# Runs a pod to its end: then everything works together.
try_a_pod() {
  local trial=pman-trial
  has_account() { kubectl get serviceaccount default >/dev/null 2>&1; }
  has_ended() { kubectl get pod "$trial" -o 'jsonpath={.status.phase}' 2>/dev/null | grep -E 'Succeeded|Failed' >/dev/null; }
  eventually 600 has_account || fail_with kube-controller-manager "there is no service account"
  kubectl delete pod "$trial" --ignore-not-found --now >/dev/null 2>&1
  kubectl run "$trial" --image "$busybox" --image-pull-policy Never --restart Never -- echo works >/dev/null
  eventually 900 has_ended || true
  if [ "$(kubectl logs "$trial" 2>&1)" != works ]; then
    kubectl describe pod "$trial" >&2
    fail_with kubelet "a pod does not run"
  fi
  kubectl delete pod "$trial" --now >/dev/null
}

up() {
  need ctr containerd runc busybox ip openssl setsid nsenter unshare "$cni_folder/bridge" "$cni_folder/host-local"
  if ! ours && [ -n "$(ls -A "$dir" 2>/dev/null)" ]; then
    echo "kubernetes.sh: $dir holds other things" >&2
    exit 2
  fi
  build
  mkdir -p "$dir"/{log,pids}
  [ -f "$dir/addresses" ] || : >"$dir/addresses"
  status >/dev/null || start_cluster
  for name in ${PMAN_ENGINE_IMAGES:-}; do
    ctr images tag --force "$(full_name $busybox)" "$(full_name "$name")" >/dev/null
  done
  furnish
  try_a_pod
  lines
}

down() {
  [ -d "$dir" ] || return 0
  ours || { echo "kubernetes.sh: $dir is no folder of a cluster" >&2; exit 2; }
  end_members
  [ ! -d "/sys/class/net/$bridge" ] || ip link del "$bridge"
  eventually 100 remove_group || fail "the cgroup $group stays"
  for path in $(own_folders); do leave_folder "$path"; done
  rm -rf --one-file-system "$dir"
}

need_cluster() {
  ours && running namespace || fail "no cluster runs in $dir"
  . "$dir/addresses"
}
need_program() {
  [[ " ${programs[*]} " == *" $1 "* ]] || { echo "kubernetes.sh: $1 is none of ${programs[*]}" >&2; exit 2; }
}

case $verb in
  build) build ;;
  up) up ;;
  status) status || { echo "no cluster is ready in $dir" >&2; exit 1; } ;;
  down) down ;;
  image) need_cluster; import_image "$3" "$4" ;;
  stop | kill) need_program "$3"; need_cluster; "${verb}_program" "$3" ;;
  start)
    need_program "$3"
    need_cluster
    start_program "$3"
    if running etcd && running kube-apiserver; then
      eventually 900 api_answers || fail_with kube-apiserver "the API server does not answer"
    fi
    ;;
esac
