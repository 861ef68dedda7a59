#!/usr/bin/env bash
# Real peers against the test host at URL (with-host.sh sets it), one after the other.
#
#   run.sh [PEER...]      node python upgrade deflate curl nghttp haproxy (default: all)
#
# deflate needs a host with DEFLATE=1; nghttp and haproxy are for cleartext only.
#
#   RESULTS   folder for the report (default tests/conformance/results/HOST_NAME/peers, or peers-$PEERS)
#
# Exit: 0 every check passed, 1 some failed.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${URL:?is not set: run this by tests/host/with-host.sh HOST $0}"
python=${PYTHON_PEERS:-${H2WS_CACHE:-$HOME/.cache/h2ws}/python-peers}/bin/python
out=${RESULTS:-$here/../results/${HOST_NAME:-host}/peers${PEERS:+-$PEERS}}
mkdir -p "$out"
: > "$out/summary.txt"

[ $# -gt 0 ] || set -- node python upgrade ${DEFLATE:+deflate} curl nghttp haproxy
broken=0
for peer in "$@"; do
    case $peer in
    node) timeout 300 node "$here/node.mjs" ;;
    python) timeout 300 "$python" "$here/python.py" ;;
    upgrade) timeout 60 "$python" "$here/python.py" --http1 ;;
    deflate) timeout 300 "$python" "$here/python.py" --deflate ;;
    curl) timeout 300 "$here/curl.sh" ;;
    nghttp) timeout 300 "$here/nghttp.sh" ;;
    haproxy) timeout 300 "$here/haproxy.sh" ;;
    *) echo "run.sh: no such peer: $peer" >&2; exit 2 ;;
    esac 2>&1 | tee -a "$out/summary.txt"
    # A peer that dies without a word fails too.
    [ "${PIPESTATUS[0]}" = 0 ] || { broken=1; echo "peer $peer: failed" | tee -a "$out/summary.txt"; }
done
passed=$(grep -c '^ok ' "$out/summary.txt") failed=$(grep -c '^FAIL ' "$out/summary.txt")
echo "peers: $passed checks passed, $failed failed" | tee -a "$out/summary.txt"
[ "$broken" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
