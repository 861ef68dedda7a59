#!/usr/bin/env bash
# HAProxy in front of the test host at ADDRESS: HTTP/2 with Extended CONNECT and HTTP/1.1 with Upgrade come in,
# HTTP/2 goes out to the host. Its clients are Node and Python.
set -euo pipefail

: "${ADDRESS:?is not set: run this by tests/host/with-host.sh}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON_PEERS:-${H2WS_CACHE:-$HOME/.cache/h2ws}/python-peers}/bin/python
scratch=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null || true; rm -rf "$scratch"' EXIT

port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -e "s/@LISTEN@/127.0.0.1:$port/" -e "s/@TARGET@/$ADDRESS/" "$here/haproxy.cfg.in" > "$scratch/haproxy.cfg"
haproxy -db -f "$scratch/haproxy.cfg" > "$scratch/log" 2>&1 &
pid=$!
deadline=$((SECONDS + 10))
until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
    kill -0 "$pid" 2> /dev/null && [ "$SECONDS" -lt "$deadline" ] || { cat "$scratch/log" >&2; echo "FAIL  haproxy did not start"; exit 1; }
    sleep 0.05
done

export URL=http://127.0.0.1:$port
failed=0
node "$here/node.mjs" --front || failed=1
"$python" "$here/python.py" --http1 || failed=1
exit "$failed"
