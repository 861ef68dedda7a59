#!/usr/bin/env bash
# make demo: a server in C over TLS, on one port: HTTP/2 and HTTP/1.1, requests and WebSockets. Its clients are Node, and
# Chromium where it is installed, which leaves a picture of the page in build/demo/page.png.
# PROGRAM: another server to show (default build/host-c, which make builds first).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

program=${PROGRAM:-build/host-c}
echo
echo "== h2ws demo: $program, a server in C on https://localhost, with a certificate made for this run"
if TLS=1 DEFLATE=1 tests/host/with-host.sh "$program" tests/demo/clients.sh; then
    echo
    echo "demo: passed. 'make demo-c-serve' keeps the server for your own browser; examples/echo.c is the shortest one to read."
else
    code=$?
    echo "demo: FAILED (code $code)" >&2
    exit "$code"
fi
