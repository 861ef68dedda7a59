#!/usr/bin/env bash
# Runs the Autobahn suite as a client against the WebSocket echo of a test host, at URL (with-host.sh sets it).
#
#   run.sh MODE [CASES [COUNT]]
#
#   MODE   each     over HTTP/2, a connection for each WebSocket (bridge.js)
#          share    over HTTP/2, all WebSockets on one connection
#          haproxy  over HTTP/2, HAProxy translates instead of bridge.js
#          h1       over HTTP/1.1, as the suite speaks it itself
#   CASES  patterns, such as "1.* 6.4.*" (default: groups 1 to 7, 9 and 10), or "deflate": groups 12 and 13,
#          or "deflate-some": every sixth of these; both are for a host with DEFLATE=1
#   COUNT  how many cases that has to be (known for the default)
#
#   RESULTS       folder for the reports (default tests/conformance/results/HOST_NAME/autobahn-MODE, or autobahn-CASES-MODE)
#   AUTOBAHN      the suite's environment, made by install.sh
#   WS_PATH       the echo's path (default /echo)
#   BRIDGE_ARGS   further arguments of bridge.js, such as "--window 1000"
#   RUN_TIMEOUT   seconds for the whole run (default 1500)
#
# Exit: 0 all cases passed, 1 some did not, 2 the run is incomplete or could not start.
set -euo pipefail

mode=${1:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case $mode in each | share | haproxy | h1) ;; *) sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;; esac
cases=${2:-1.* 2.* 3.* 4.* 5.* 6.* 7.* 9.* 10.*} count=${3:-} name=autobahn-$mode
[ $# -gt 1 ] || count=301
case $cases in
deflate) cases='12.* 13.*' count=216 name=autobahn-deflate-$mode ;;
# Messages of 256 bytes, of 8 KiB, and of 8 KiB in fragments of 256; the others of a group differ in size, and large ones take long.
deflate-some) cases='12.*.3 12.*.6 12.*.11 13.*.3 13.*.6 13.*.11' count=36 name=autobahn-deflate-some-$mode ;;
esac
: "${URL:?is not set: run this by tests/host/with-host.sh HOST $0 $mode}"
target=${URL#http://}
suite=${AUTOBAHN:-${H2WS_CACHE:-$HOME/.cache/h2ws}/autobahn}
[ -x "$suite/bin/wstest" ] || { echo "autobahn: $suite has no wstest; run tests/setup.sh autobahn" >&2; exit 2; }
out=${RESULTS:-$here/../results/${HOST_NAME:-host}/$name}
mkdir -p "$out"
out=$(cd "$out" && pwd)
# an old bridge.log would tell an old address before the new one has truncated it
rm -f "$out"/*.json "$out"/*.html "$out"/summary.txt "$out"/bridge.log

bridge=
trap '[ -z "$bridge" ] || kill "$bridge" 2> /dev/null || true' EXIT
wait_for() { # wait_for COMMAND...: until it succeeds, 10 s
    local deadline=$((SECONDS + 10))
    until "$@"; do
        kill -0 "$bridge" 2> /dev/null && [ "$SECONDS" -lt "$deadline" ] ||
            { echo "autobahn: $mode did not start:" >&2; tail -n 5 "$out/bridge.log" >&2; exit 2; }
        sleep 0.05
    done
}
case $mode in
each | share)
    share=
    [ "$mode" = each ] || share=--share
    # shellcheck disable=SC2086  # words on purpose
    node "$here/bridge.js" $share ${BRIDGE_ARGS:-} "$URL" > "$out/bridge.log" 2>&1 &
    bridge=$!
    wait_for grep -q '^listening on ' "$out/bridge.log"
    address=$(sed -n 's/^listening on //p' "$out/bridge.log") ;;
haproxy)
    # A UNIX socket tells whether HAProxy is up; the port is the kernel's choice made known there.
    port=$("$suite/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    address=127.0.0.1:$port
    sed -e "s/@LISTEN@/$address/" -e "s/@TARGET@/$target/" "$here/../peers/haproxy.cfg.in" > "$out/haproxy.cfg"
    haproxy -db -f "$out/haproxy.cfg" > "$out/bridge.log" 2>&1 &
    bridge=$!
    wait_for bash -c "exec 3<> /dev/tcp/127.0.0.1/$port" 2> /dev/null ;;
h1) address=$target ;;
esac

ADDRESS=$address WS_PATH=${WS_PATH:-/echo} OUT=$out CASES=$cases "$suite/bin/python" - > "$out/spec.txt" <<'PY'
import json, os
e = os.environ
print(json.dumps({
    "outdir": e["OUT"], "cases": e["CASES"].split(), "exclude-cases": [], "exclude-agent-cases": {},
    "servers": [{"agent": "host", "url": "ws://" + e["ADDRESS"] + e["WS_PATH"]}]}))
PY

status=0
timeout "${RUN_TIMEOUT:-1500}" "$suite/bin/wstest" -m fuzzingclient -s "$out/spec.txt" > "$out/wstest.log" 2>&1 || status=$?
chosen=$(sed -n 's/^Ok, will run \([0-9]*\) test cases.*/\1/p' "$out/wstest.log")
if [ "$status" != 0 ] || [ ! -s "$out/index.json" ] || [ -z "$chosen" ]; then
    echo "autobahn: the suite stopped with code $status after" \
        "$(grep -c '^Running test case' "$out/wstest.log") of ${chosen:-?} cases; see $out/wstest.log"
    exit 2
fi
echo "autobahn over $mode, cases $cases; reports in $out/index.html"
"$suite/bin/python" "$here/summary.py" "$out" "${count:-$chosen}"
