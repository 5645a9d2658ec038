#!/bin/sh
# A real browser for tests of what web pages can do: chromium.sh up|down|status DIR
#
# `up` prints PMAN_TEST_CHROMIUM=<program>; the tests start it themselves, in folders of their own. Nothing runs between them.
# Exit codes: 0 there is one, 2 usage, 3 there is none.
set -eu

find_browser() {
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" && return
  done
  echo 'chromium is missing: install the chromium package' >&2
  exit 3
}

[ $# -eq 2 ] || { echo 'usage: chromium.sh up|down|status DIR' >&2; exit 2; }
case $1 in
  up) browser=$(find_browser); echo "PMAN_TEST_CHROMIUM=$browser" ;;
  down) ;;
  status) find_browser ;;
  *) echo 'usage: chromium.sh up|down|status DIR' >&2; exit 2 ;;
esac
