#!/usr/bin/env bash
# One proxy before the test host at ADDRESS (with-host.sh sets it), and the clients at its front.
#
#   through.sh haproxy|nghttpx cleartext|tls       the second is what it speaks to the host
#
# CERTIFICATE is the folder of certificate.sh, for the front; the host has the same one where it speaks TLS.
set -euo pipefail

: "${ADDRESS:?is not set: run this by tests/host/with-host.sh}" "${CERTIFICATE:?}"
proxy=$1 back=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=$here/../conformance/peers
python=${PYTHON_PEERS:-${H2WS_CACHE:-$HOME/.cache/h2ws}/python-peers}/bin/python
scratch=$(mktemp -d)
pid=
stop() { [ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2> /dev/null || true; pid=; }
trap 'stop; rm -rf "$scratch"' EXIT

# start [COMMAND...]: the proxy on a free port; its configuration goes through the command first.
start() {
    [ $# -gt 0 ] || set -- cat
    port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    case $proxy in
    haproxy)
        cat "$CERTIFICATE/cert.pem" "$CERTIFICATE/key.pem" > "$scratch/both.pem"
        tls=''
        [ "$back" = cleartext ] || tls="ssl verify required ca-file $CERTIFICATE/cert.pem alpn h2"
        sed -e "s,@LISTEN@,127.0.0.1:$port," -e "s,@TARGET@,$ADDRESS," -e "s,@CERTIFICATE@,$scratch/both.pem," -e "s,@BACK@,$tls," \
            "$here/haproxy.cfg.in" | "$@" > "$scratch/haproxy.cfg"
        haproxy -db -f "$scratch/haproxy.cfg" > "$scratch/log" 2>&1 & ;;
    nghttpx)
        tls=''
        [ "$back" = cleartext ] || tls=';tls;sni=localhost'
        # It writes an address and its port with a comma.
        sed -e "s/@LISTEN@/127.0.0.1,$port/" -e "s/@TARGET@/${ADDRESS/:/,}/" -e "s,@CERTIFICATE@,$CERTIFICATE/cert.pem," \
            -e "s,@KEY@,$CERTIFICATE/key.pem," -e "s/@BACK@/$tls/" "$here/nghttpx.conf.in" | "$@" > "$scratch/nghttpx.conf"
        nghttpx --conf="$scratch/nghttpx.conf" > "$scratch/log" 2>&1 & ;;
    *) echo "through.sh: no such proxy: $proxy" >&2; exit 2 ;;
    esac
    pid=$!
    local deadline=$((SECONDS + 10))
    until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
        kill -0 "$pid" 2> /dev/null && [ "$SECONDS" -lt "$deadline" ] || { cat "$scratch/log" >&2; echo "FAIL  $proxy did not start"; exit 1; }
        sleep 0.05
    done
    export URL=https://127.0.0.1:$port
}

export TLS_CERT=$CERTIFICATE/cert.pem
start
failed=0
timeout 60 node "$peers/node.mjs" --front || failed=1
timeout 60 "$python" "$peers/python.py" --front || failed=1
timeout 60 "$python" "$peers/python.py" --http1 --front || failed=1
timeout 60 "$python" "$peers/python.py" --deflate --front || failed=1
timeout 60 "$python" "$here/seen.py" "$proxy" --front || failed=1
if [ "$proxy" = haproxy ]; then
    stop
    start sed '/http-reuse/d'
    timeout 60 "$python" "$here/seen.py" "$proxy" --front --no-reuse || failed=1
fi
[ "$failed" = 0 ] || { echo "the log of $proxy:"; tail -n 30 "$scratch/log"; } >&2
exit "$failed"
