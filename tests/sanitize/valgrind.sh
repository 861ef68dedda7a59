#!/usr/bin/env bash
# Runs a test host under valgrind's memcheck while Node drives it: requests, a hundred streams and sockets at once, both
# sides' closes, resets, a drain. Any error, and any block that is lost at the end, fails.
#
#   valgrind.sh HOST
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

host=${1:?usage: valgrind.sh HOST}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# fair-sched: the default lets one thread starve the others for seconds.
export HOST_WRAPPER="valgrind --fair-sched=yes --leak-check=full --show-leak-kinds=definite,possible \
--errors-for-leak-kinds=definite --error-exitcode=99 --log-file=$log"
if LOOPS=2 tests/host/with-host.sh "$host" node tests/conformance/peers/node.mjs; then
    grep -E 'ERROR SUMMARY|definitely lost|All heap blocks' "$log" || true
    echo "valgrind: no error, nothing lost"
else
    code=$?
    cat "$log" >&2
    exit "$code"
fi
