#!/usr/bin/env bash
# Real browsers against the test host over TLS, each with a profile of its own and a certificate made for the run.
#
#   run.sh HOST [BROWSER...]      chromium firefox (default: both)
#   run.sh --short HOST           Chromium only, fewer cases
#
#   RESULTS   folder for the report (default build/e2e)
#
# Exit: 0 every case passed, 1 some failed.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/e2e
short=
[ "${1:-}" != --short ] || { short=--short; shift; }
host=${1:?usage: run.sh [--short] HOST [BROWSER...]}
shift
[ $# -gt 0 ] || { set -- chromium firefox; [ -z "$short" ] || set -- chromium; }
out=${RESULTS:-$top/build/e2e}
mkdir -p "$out"
SCRATCH=$(mktemp -d)
export SCRATCH TLS=1 DEFLATE=1
trap 'rm -rf "$SCRATCH"' EXIT

status=0
against() { # against SCRIPT ARGUMENT...: the script against a fresh host
    timeout 300 "$top/tests/host/with-host.sh" "$host" node "$here/$@" 2>&1 | tee -a "$out/summary.txt"
    [ "${PIPESTATUS[0]}" = 0 ] || status=1
    rm -rf "${SCRATCH:?}"/*
}
: > "$out/summary.txt"
for browser in "$@"; do
    against run.mjs "$browser" $short
    against first_contact.mjs "$browser"
    NO_HTTP2=1 against run.mjs "$browser" $short
done
passed=$(grep -c '^ok ' "$out/summary.txt") failed=$(grep -c '^FAIL ' "$out/summary.txt")
echo "e2e: $passed cases passed, $failed failed" | tee -a "$out/summary.txt"
[ "$status" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
