#!/usr/bin/env bash
# The clients of the demo, against the server at URL (with-host.sh sets it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo
echo "== Node $(node --version)"
echo
node tests/demo/client.mjs
echo
if command -v "${CHROMIUM:-chromium}" > /dev/null; then
    echo "== Chromium"
    echo
    mkdir -p build/demo
    SCRATCH=$(mktemp -d)
    export SCRATCH
    trap 'rm -rf "$SCRATCH"' EXIT
    node tests/demo/page.mjs chromium build/demo/page.png
else
    echo "Chromium is not installed, so no picture of the page: 'tests/setup.sh chromium' installs it."
fi
