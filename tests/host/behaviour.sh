#!/usr/bin/env bash
# The behaviour suite against a test host of any binding: its contract and how sockets end, over HTTP/2 and HTTP/1.1; credit and BUSY.
#
#   behaviour.sh HOST               in clear; over TLS too how sockets end, and HTTP/1.1
#   behaviour.sh HOST jvm           over TLS that ends in the JVM: HOST is the Java one
#   behaviour.sh HOST one-thread    in clear, on a loop that is the main thread's: HOST is the C one
set -euo pipefail

host=$(realpath "${1:?usage: behaviour.sh HOST [jvm|one-thread]}")
way=${2:-all}
case $way in all | jvm | one-thread) ;; *) echo "behaviour.sh: there is no way \"$way\"" >&2; exit 2 ;; esac
cd "$(dirname "${BASH_SOURCE[0]}")"
certificate=$(mktemp -d)
trap 'rm -rf "$certificate"' EXIT
./certificate.sh "$certificate"

if [ "$way" != all ]; then
    if [ "$way" = jvm ]; then
        export TLS_BY=jvm TLS_CERT=$certificate/cert.pem TLS_KEY=$certificate/key.pem
    else
        export LOOPS=1
    fi
    node contract.mjs "$host"
    node contract.mjs "$host" --http1
    node close.mjs "$host"
    node close_http1.mjs "$host"
    node credit.mjs "$host"
    exit
fi

node contract.mjs "$host"
node contract.mjs "$host" --http1
node close.mjs "$host"
node close_http1.mjs "$host"
node credit.mjs "$host"

export TLS_CERT=$certificate/cert.pem TLS_KEY=$certificate/key.pem
node contract.mjs "$host" --http1
node close.mjs "$host"
node close_http1.mjs "$host"
