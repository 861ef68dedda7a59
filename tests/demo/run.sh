#!/usr/bin/env bash
# make demo: examples/echo.c, built against the library, and a client that nobody here wrote: Node's http2.
# PROGRAM: another server to show (default build/echo-c, which make builds first).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

program=${PROGRAM:-build/echo-c}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo
echo "== h2ws demo: $program, a server of $(grep -c '' examples/echo.c) lines of C, and Node $(node --version)'s HTTP/2 client"
echo
if HOST_LOG=$log tests/host/with-host.sh "$program" node tests/demo/client.mjs && grep -q '^closed: 4000 enough said$' "$log"; then
    echo
    echo "What the C program printed:"
    sed 's/^/  /' "$log"
    echo
    echo "demo: passed. Read examples/echo.c next; 'make test' runs everything."
else
    code=$?
    echo "demo: FAILED (code $code); the server printed:" >&2
    sed 's/^/  /' "$log" >&2
    exit "$code"
fi
