#!/usr/bin/env bash
# make demo-pekko, demo-play: an ordinary Pekko HTTP or Play application, served by the drop-in on its class path (STOCK=1: by
# Pekko's own server). Chromium and Firefox, where they are installed, go through its page; in CI both have to be.
#
#   chat.sh pekko|play
#
# Leaves build/demo/APP.txt, and pictures: build/demo/APP.png of Chromium, APP-firefox.png. At a terminal the chat then stays on
# https://localhost:8443/ (PORT: another one) until Ctrl-C.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

app=${1:?usage: chat.sh pekko|play}
browsers=() absent=()
for browser in chromium firefox; do
    case $browser in
    chromium) command=${CHROMIUM:-chromium} ;;
    firefox) command=${FIREFOX:-firefox-esr} ;;
    esac
    if command -v "$command" > /dev/null; then browsers+=("$browser"); else absent+=("$browser"); fi
done
if [ ${#absent[@]} != 0 ] && [ "${CI:-}" = true ]; then
    echo "demo: FAILED: ${absent[*]} not installed, which CI has to have: tests/setup.sh ${absent[*]}" >&2
    exit 1
fi

if [ "${2:-}" = browsers ]; then # what with-host.sh runs
    mkdir -p build/demo
    SCRATCH=$(mktemp -d)
    export SCRATCH
    trap 'rm -rf "$SCRATCH"' EXIT
    for browser in "${browsers[@]}"; do
        node tests/demo/chat.mjs "$browser" "build/demo/$app$([ "$browser" = chromium ] || echo "-$browser").png"
    done | tee "build/demo/$app.txt"
    exit
fi

stay() {
    if [ ! -t 0 ] || [ ! -t 1 ] || [ "${CI:-}" = true ]; then return; fi
    echo "For your own browser, until Ctrl-C: https://localhost:${PORT:-8443}/ (its certificate was made just now, and it will say so)"
    exec "build/chat-$app"
}

echo
echo "== examples/$app-chat on $([ "${STOCK:-0}" = 1 ] && echo "Pekko's own server" || echo "the drop-in"), https://localhost, with a certificate made for this run"
if [ ${#browsers[@]} = 0 ]; then
    echo "No browser is installed to be driven: 'tests/setup.sh chromium' installs one. 'make demo-$app-serve' is for your own."
    stay
    exit
fi
if TLS=1 tests/host/with-host.sh "build/chat-$app" tests/demo/chat.sh "$app" browsers; then
    echo
    echo "demo: passed. 'make demo-$app-serve' keeps the chat for your own browser; its source is in examples/$app-chat."
    stay
else
    code=$?
    echo "demo: FAILED (code $code)" >&2
    exit "$code"
fi
