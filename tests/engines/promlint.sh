#!/bin/sh
# promlint: holds /metrics to the rules of `promtool check metrics`, with the package that promtool itself uses.
#   promlint.sh up      builds it once, in ${PMAN_ENGINE_CACHE:-~/.cache/pman-engines}/promlint; prints PMAN_TEST_PROMLINT=FILE
#   promlint.sh status  exit 0 and that line: usable; exit 3: not, with the reason on stdout
#   promlint.sh down    nothing runs; removes the build with --purge
# Needs Go 1.26, and Go's module proxy the first time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=${PMAN_ENGINE_CACHE:-$HOME/.cache/pman-engines}/promlint
stamp=$(cat "$here/promlint/go.mod" "$here/promlint/go.sum" "$here/promlint/main.go" | cksum | cut -d' ' -f1)
program=$home/promlint-$stamp

case ${1-} in
    up)
        if [ ! -x "$program" ]; then
            command -v go >/dev/null || { echo "promlint.sh: missing: Go 1.26 (https://go.dev/dl)" >&2; exit 3; }
            mkdir -p "$home"
            (cd "$here/promlint" && go build -o "$program.draft.$$" . && mv "$program.draft.$$" "$program")
        fi
        echo "PMAN_TEST_PROMLINT=$program" ;;
    down) if [ "${2-}" = --purge ]; then rm -rf "$home"; fi ;;
    status)
        [ -x "$program" ] || { echo "tests/engines/promlint.sh up has not been run"; exit 3; }
        echo "PMAN_TEST_PROMLINT=$program" ;;
    *) sed -n '3,5p' "$0" >&2; exit 2 ;;
esac
