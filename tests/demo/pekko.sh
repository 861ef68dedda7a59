#!/usr/bin/env bash
# make demo-pekko: an ordinary Pekko HTTP application, served by the drop-in on its class path (STOCK=1: by Pekko's own
# server). Chromium, where it is installed, goes through its page; it leaves build/demo/pekko.png and build/demo/pekko.txt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ "${1:-}" = browser ]; then # what with-host.sh runs
    mkdir -p build/demo
    SCRATCH=$(mktemp -d)
    export SCRATCH
    trap 'rm -rf "$SCRATCH"' EXIT
    node tests/demo/pekko.mjs chromium build/demo/pekko.png | tee build/demo/pekko.txt
    exit
fi

echo
echo "== examples/pekko-chat on $([ "${STOCK:-0}" = 1 ] && echo "Pekko's own server" || echo "the drop-in"), https://localhost, with a certificate made for this run"
if ! command -v "${CHROMIUM:-chromium}" > /dev/null; then
    echo "Chromium is not installed: 'tests/setup.sh chromium' installs it. 'make demo-pekko-serve' is for your own browser."
    exit
fi
if TLS=1 tests/host/with-host.sh build/chat-pekko tests/demo/pekko.sh browser; then
    echo
    echo "demo: passed. 'make demo-pekko-serve' keeps the chat for your own browser; its source is in examples/pekko-chat."
else
    code=$?
    echo "demo: FAILED (code $code)" >&2
    exit "$code"
fi
