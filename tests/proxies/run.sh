#!/usr/bin/env bash
# WebSockets over HTTP/2 through proxies that others wrote: TLS at the front, HTTP/2 to the test host at the back, over
# cleartext and over TLS. Its clients are Node's http2 and Python's h2; and an HTTP/1.1 client at the same front.
#
#   run.sh HOST [PROXY...]      haproxy nghttpx (default: both)
#
#   RESULTS   folder for the report (default build/proxies)
#
# Exit: 0 every check passed, 1 some failed.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/proxies
host=${1:?usage: run.sh HOST [PROXY...]}
shift
[ $# -gt 0 ] || set -- haproxy nghttpx
out=${RESULTS:-$top/build/proxies}
mkdir -p "$out"
: > "$out/summary.txt"
CERTIFICATE=$(mktemp -d)
export CERTIFICATE
trap 'rm -rf "$CERTIFICATE"' EXIT
"$top/tests/host/certificate.sh" "$CERTIFICATE" || exit 1

status=0
for proxy in "$@"; do
    for back in cleartext tls; do
        tls=()
        [ "$back" = cleartext ] || tls=(TLS_CERT="$CERTIFICATE/cert.pem" TLS_KEY="$CERTIFICATE/key.pem")
        env "${tls[@]}" DEFLATE=1 H2WS_DEFLATE_SERVER_TAKEOVER=1 H2WS_DEFLATE_CLIENT_TAKEOVER=1 timeout 300 "$top/tests/host/with-host.sh" "$host" "$here/through.sh" "$proxy" "$back" 2>&1 |
            sed -u "s/^\(ok  *\|FAIL  *\)/&$proxy, $back back: /" | tee -a "$out/summary.txt"
        [ "${PIPESTATUS[0]}" = 0 ] || { status=1; echo "$proxy, $back back: failed" | tee -a "$out/summary.txt"; }
    done
done
passed=$(grep -c '^ok ' "$out/summary.txt") failed=$(grep -c '^FAIL ' "$out/summary.txt")
echo "proxies: $passed checks passed, $failed failed" | tee -a "$out/summary.txt"
[ "$status" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
