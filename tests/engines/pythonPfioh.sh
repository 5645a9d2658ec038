#!/bin/sh
# Round trips between our purl and pfioh and the Python ones of pman 1.6.2, pfioh 2.2.0.8 and pfurl 2.3.0.1.
# Needs python3 (up to 3.12, for its cgi module) with venv and pip, and a built dist/. Ends with 0 when all came back bit for bit.
# Listens on the four ports behind $BASE_PORT.
set -eu
base=${BASE_PORT:-6410}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
pids=''
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
failed=0

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pycurl webob psutil pfmisc python-keystoneclient python-swiftclient
for package in pman==1.6.2 pfioh==2.2.0.8 pfurl==2.3.0.1; do
  "$work/venv/bin/pip" download -q --no-deps --no-binary :all: -d "$work/src" "$package"
done
for archive in "$work"/src/*.tar.gz; do tar xzf "$archive" -C "$work/src"; done
mkdir -p "$work/one" "$work/two" "$work/data/src/sub" "$work/cwd"
cp -r "$work/src/pman-1.6.2/pman" "$work/src/pman-1.6.2/bin/pfioh" "$work/src/pman-1.6.2/bin/purl" "$work/one/"
# As shipped the package imports neither of the two programs, and wants a debugger.
printf 'from .pfioh import StoreHandler, ThreadedHTTPServer\nfrom .purl import Purl\n' > "$work/one/pman/__init__.py"
cp -r "$work/src/pfioh-2.2.0.8/pfioh" "$work/src/pfurl-2.3.0.1/pfurl" "$work/two/"
cp "$work/src/pfioh-2.2.0.8/bin/pfioh" "$work/two/run-pfioh"
cp "$work/src/pfurl-2.3.0.1/bin/pfurl" "$work/two/run-pfurl"
for folder in one two; do echo 'set_trace = lambda: None' > "$work/$folder/pudb.py"; done

seq 1 3000 > "$work/data/src/a.txt"
head -c 300000 /dev/urandom > "$work/data/src/sub/b.bin"

start() { "$@" > "$work/log" 2>&1 & pids="$pids $!"; sleep 3; }
message() { # action local remote encoding
  printf '{"action":"%s","meta":{"local":{"path":"%s","createDir":true},"remote":%s,"transport":{"mechanism":"compress","compress":{"encoding":"%s","archive":"zip","unpack":true,"cleanup":true}}}}' "$@"
}
same() { # name folder
  if diff -r "$work/data/src" "$2"; then echo "ok: $1"; else echo "DIFFERS: $1"; failed=1; fi
}
trip() { # name port encoding client...
  name=$1 port=$2 encoding=$3; shift 3
  rm -rf "$work/there" "$work/back"; mkdir "$work/there" "$work/back"
  (cd "$work/cwd" && "$@" --quiet --http "127.0.0.1:$port/api/v1/cmd/" --msg "$(message pushPath "$work/data/src" "{\"path\":\"$work/there\"}" "$encoding")" > "$work/out" 2>&1) || true
  same "$name push $encoding" "$work/there/src"
  (cd "$work/cwd" && "$@" --quiet --http "127.0.0.1:$port/api/v1/cmd/" --msg "$(message pullPath "$work/back" "{\"path\":\"$work/data/src\"}" "$encoding")" > "$work/out" 2>&1) || true
  same "$name pull $encoding" "$work/back/src"
}
keyTrip() { # name port encoding client...
  name=$1 port=$2 encoding=$3; shift 3
  rm -rf "$work/back"
  (cd "$work/cwd" && "$@" --quiet --http "127.0.0.1:$port/api/v1/cmd/" --msg "$(message pushPath "$work/data/src" '{"key":"k"}' "$encoding")" > "$work/out" 2>&1) || true
  (cd "$work/cwd" && "$@" --quiet --http "127.0.0.1:$port/api/v1/cmd/" --msg "$(message pullPath "$work/back" '{"key":"k"}' "$encoding")" > "$work/out" 2>&1) || true
  same "$name key $encoding" "$work/back"
}

ourPurl="node $root/dist/bin/purl.js --fail"
start env PYTHONPATH="$work/one" "$work/venv/bin/python" "$work/one/pfioh" --ip 127.0.0.1 --port $((base + 1)) --forever
start node "$root/dist/bin/pfioh.js" --port $((base + 2)) --forever -v 0
for encoding in base64 none; do
  # shellcheck disable=SC2086
  trip 'our purl, pfioh 1.6.2' $((base + 1)) $encoding $ourPurl
  trip 'purl 1.6.2, our pfioh' $((base + 2)) $encoding env PYTHONPATH="$work/one" "$work/venv/bin/python" "$work/one/purl" --verb POST
done
mkdir "$work/store" "$work/ownStore"
start env PYTHONPATH="$work/two" "$work/venv/bin/python" "$work/two/run-pfioh" --ip 127.0.0.1 --port $((base + 3)) --forever --httpResponse --createDirsAsNeeded --storeBase "$work/store"
start node "$root/dist/bin/pfioh.js" --port $((base + 4)) --forever -v 0 --createDirsAsNeeded --storeBase "$work/ownStore"
for encoding in none base64; do
  # shellcheck disable=SC2086
  keyTrip 'our purl, pfioh 2.2.0.8' $((base + 3)) $encoding $ourPurl
  # shellcheck disable=SC2086
  keyTrip 'our purl, our pfioh' $((base + 4)) $encoding $ourPurl
  keyTrip 'pfurl 2.3.0.1, our pfioh' $((base + 4)) $encoding env PYTHONPATH="$work/two" "$work/venv/bin/python" "$work/two/run-pfurl" --verb POST --raw
done
exit $failed
