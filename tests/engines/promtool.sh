#!/bin/sh
# promtool: the program of Prometheus that checks figures, built from its Go module without what finds servers in clouds.
#   promtool.sh up      builds it once, in ${PMAN_ENGINE_CACHE:-~/.cache/pman-engines}/promtool; prints PMAN_TEST_PROMTOOL=FILE
#   promtool.sh status  exit 0 and that line: usable; exit 3: not, with the reason on stdout
#   promtool.sh down    nothing runs; removes the build with --purge
# Needs Go 1.26, and Go's module proxy the first time: it takes two minutes of processor time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=${PMAN_ENGINE_CACHE:-$HOME/.cache/pman-engines}/promtool
stamp=$(cat "$here/promtool/go.mod" "$here/promtool/go.sum" | cksum | cut -d' ' -f1)
program=$home/promtool-$stamp
package=github.com/prometheus/prometheus/cmd/promtool

case ${1-} in
    up)
        if [ ! -x "$program" ]; then
            command -v go >/dev/null || { echo "promtool.sh: missing: Go 1.26 (https://go.dev/dl)" >&2; exit 3; }
            mkdir -p "$home"
            draft=$program.draft.$$
            (cd "$here/promtool" && go build -tags remove_all_sd -o "$draft" "$package" && mv "$draft" "$program")
        fi
        echo "PMAN_TEST_PROMTOOL=$program" ;;
    down) if [ "${2-}" = --purge ]; then rm -rf "$home"; fi ;;
    status)
        [ -x "$program" ] || { echo "tests/engines/promtool.sh up has not been run"; exit 3; }
        echo "PMAN_TEST_PROMTOOL=$program" ;;
    *) sed -n '3,5p' "$0" >&2; exit 2 ;;
esac
