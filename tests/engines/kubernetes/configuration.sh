# Addresses, certificates and settings of a cluster's programs; sourced by kubernetes.sh.

cni_folder=${CNI_PATH:-/usr/lib/cni}

port_is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
ports_are_free() { local i; for i in 0 1 2 3; do port_is_free $(($1 + i)) || return 1; done; }
subnet_is_taken() { ip -4 -o address | grep -F " $1." >/dev/null; }

# Those of the last time when they are free. The ports are below those that the kernel gives to whoever wants any.
choose_addresses() {
  local port=$((20000 + number % 9000)) try=$number
  # shellcheck disable=SC1091
  . "$dir/addresses"
  [ -z "$api_port" ] || port=$api_port
  until ports_are_free "$port"; do port=$((20000 + RANDOM % 9000)); done
  while [ -z "$subnet" ] || { [ ! -d "$dir/keys" ] && subnet_is_taken "$subnet"; }; do
    subnet=10.$((64 + try % 128)).$((try / 128 % 256))
    try=$((try + 1))
  done
  cat >"$dir/addresses" <<END_OF_FILE
subnet=$subnet
api_port=$port
etcd_port=$((port + 1))
etcd_peer_port=$((port + 2))
kubelet_port=$((port + 3))
END_OF_FILE
  . "$dir/addresses"
}

# certificate NAME SUBJECT EXTENSION...: signed by the authority, which signs itself.
certificate() {
  local name=$1 subject=$2 signer=() extension extensions=()
  shift 2
  for extension; do extensions+=(-addext "$extension"); done
  [ "$name" = authority ] || signer=(-CA "$dir/keys/authority.crt" -CAkey "$dir/keys/authority.key")
  openssl req -x509 -new -days 3650 -subj "$subject" -config "$dir/keys/openssl.cnf" "${signer[@]}" "${extensions[@]}" \
    -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc \
    -keyout "$dir/keys/$name.key" -out "$dir/keys/$name.crt" >>"$dir/log/openssl" 2>&1 ||
    fail_with openssl "no certificate can be made for $name"
}

make_certificates() {
  [ ! -f "$dir/keys/complete" ] || return 0
  local user=(basicConstraints=CA:FALSE extendedKeyUsage=clientAuth)
  local server=(basicConstraints=CA:FALSE extendedKeyUsage=serverAuth) names
  rm -rf "$dir/keys"
  mkdir -m 700 "$dir/keys"
  printf '[req]\ndistinguished_name = name\n[name]\n' >"$dir/keys/openssl.cnf"
  names=$(printf ',DNS:%s' kubernetes{,.default{,.svc{,.cluster.local}}})
  certificate authority /CN=pman-test basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,digitalSignature
  certificate control "/CN=control" "${server[@]}" \
    "subjectAltName=IP:127.0.0.1,IP:$subnet.1,IP:$subnet.129,DNS:localhost$names"
  certificate kubelet-server "/CN=$node" "${server[@]}" "subjectAltName=IP:$subnet.1,DNS:$node"
  # Who they are to the API server, by group and name.
  certificate admin /O=system:masters/CN=admin "${user[@]}"
  certificate api /O=system:masters/CN=api "${user[@]}"
  certificate controllers /CN=system:kube-controller-manager "${user[@]}"
  certificate scheduler /CN=system:kube-scheduler "${user[@]}"
  certificate kubelet "/O=system:nodes/CN=system:node:$node" "${user[@]}"
  openssl genrsa -out "$dir/keys/tokens.key" 2048 2>/dev/null
  : >"$dir/keys/complete"
}

# kubeconfig USER
kubeconfig() {
  local authority crt key
  authority=$(base64 -w0 "$dir/keys/authority.crt")
  crt=$(base64 -w0 "$dir/keys/$1.crt")
  key=$(base64 -w0 "$dir/keys/$1.key")
  cat <<YAML
apiVersion: v1
kind: Config
clusters:
  - {name: pman-test, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority-data: $authority}}
users:
  - {name: $1, user: {client-certificate-data: $crt, client-key-data: $key}}
contexts:
  - {name: pman-test, context: {cluster: pman-test, user: $1, namespace: default}}
current-context: pman-test
YAML
}

write_configuration() {
  local user
  for user in controllers scheduler kubelet; do kubeconfig "$user" >"$dir/keys/$user.kubeconfig"; done
  (umask 077; kubeconfig admin >"$dir/kubeconfig")

  # A registry at a port where nobody listens: the answer comes at once.
  mkdir -p "$dir/registries/_default" "$dir/cni"
  printf 'server = "http://127.0.0.1:1"\n[host."http://127.0.0.1:1"]\n' >"$dir/registries/_default/hosts.toml"
  cat >"$dir/containerd.toml" <<TOML
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$(full_name $pause)"
  # Not in /run/netns, which is the machine's.
  netns_mounts_under_state_dir = true
  # In a container, nobody may lower it.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$cni_folder"
    conf_dir = "$dir/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$dir/registries"
TOML

  # The bridge is there, with its address. As a gateway of the plugin it would switch on forwarding for the machine.
  cat >"$dir/cni/bridge.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{
  "type": "bridge", "bridge": "$bridge",
  "ipam": {
    "type": "host-local",
    "ranges": [[{"subnet": "$subnet.0/25", "gateway": "$subnet.1"}]],
    "routes": [{"dst": "0.0.0.0/0", "gw": "$subnet.1"}]}}]}
JSON

  # A disk or a memory that is nearly full evicts nobody here, and removes no image.
  cat >"$dir/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $subnet.1
port: $kubelet_port
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $dir/keys/authority.crt}}
authorization: {mode: Webhook}
tlsCertFile: $dir/keys/kubelet-server.crt
tlsPrivateKeyFile: $dir/keys/kubelet-server.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$group
enforceNodeAllocatable: [none]
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
volumePluginDir: /var/lib/kubelet/volume-plugins
clusterDomain: cluster.local
clusterDNS: [$subnet.1]
resolvConf: ""
serializeImagePulls: false
imageGCHighThresholdPercent: 100
evictionHard:
  {memory.available: 0%, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0%,
   pid.available: 0%}
YAML
}

# --- the arguments of each program, one a line ---

arguments_of_etcd() {
  local client=https://127.0.0.1:$etcd_port peer=https://127.0.0.1:$etcd_peer_port prefix
  # Whoever may write to it is root on this machine: clients need a certificate.
  for prefix in '' peer-; do
    printf '%s\n' "--${prefix}client-cert-auth" "--${prefix}trusted-ca-file=$dir/keys/authority.crt" \
      "--${prefix}cert-file=$dir/keys/control.crt" "--${prefix}key-file=$dir/keys/control.key"
  done
  printf '%s\n' --name=one "--data-dir=$dir/etcd" --log-level=warn --unsafe-no-fsync --enable-grpc-gateway=false \
    "--listen-client-urls=$client" "--advertise-client-urls=$client" \
    "--listen-peer-urls=$peer" "--initial-advertise-peer-urls=$peer" "--initial-cluster=one=$peer"
}

arguments_of_containerd() { printf '%s\n' --config "$dir/containerd.toml"; }

arguments_of_relay() { printf '%s\n' "127.0.0.1:$api_port" "$subnet.1:$api_port" "$subnet.129:443"; }

arguments_of_volumes() { printf '%s\n' "$dir/root/tmp/hostpath_pv"; }

arguments_of_kube_apiserver() {
  printf '%s\n' --bind-address=127.0.0.1 "--secure-port=$api_port" "--advertise-address=$subnet.1" \
    "--service-cluster-ip-range=$subnet.128/25" \
    "--etcd-servers=https://127.0.0.1:$etcd_port" "--etcd-cafile=$dir/keys/authority.crt" \
    "--etcd-certfile=$dir/keys/api.crt" "--etcd-keyfile=$dir/keys/api.key" \
    "--client-ca-file=$dir/keys/authority.crt" \
    "--tls-cert-file=$dir/keys/control.crt" "--tls-private-key-file=$dir/keys/control.key" \
    "--kubelet-certificate-authority=$dir/keys/authority.crt" --kubelet-preferred-address-types=InternalIP \
    "--kubelet-client-certificate=$dir/keys/api.crt" "--kubelet-client-key=$dir/keys/api.key" \
    --service-account-issuer=https://kubernetes.default.svc \
    "--service-account-key-file=$dir/keys/tokens.key" "--service-account-signing-key-file=$dir/keys/tokens.key" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged
}

arguments_of_kube_controller_manager() {
  # With the usual 20 requests a second it takes 5 s to begin.
  printf '%s\n' "--kubeconfig=$dir/keys/controllers.kubeconfig" --leader-elect=false --secure-port=0 \
    --kube-api-qps=1000 --kube-api-burst=1000 "--root-ca-file=$dir/keys/authority.crt" \
    --use-service-account-credentials "--service-account-private-key-file=$dir/keys/tokens.key" \
    --enable-hostpath-provisioner
}

arguments_of_kube_scheduler() {
  printf '%s\n' "--kubeconfig=$dir/keys/scheduler.kubeconfig" --leader-elect=false --secure-port=0
}

arguments_of_kubelet() {
  printf '%s\n' "--config=$dir/kubelet.yaml" "--kubeconfig=$dir/keys/kubelet.kubeconfig" \
    "--hostname-override=$node" "--node-ip=$subnet.1"
}
