#!/usr/bin/env bash
# make demo-c-serve: the server of the demo on https://localhost:PORT (8443), until Ctrl-C.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tests/host/certificate.sh "$folder"
export PORT=${PORT:-8443} TLS_CERT=$folder/cert.pem TLS_KEY=$folder/key.pem DEFLATE=1
echo "Open https://localhost:$PORT/ and accept the certificate, which was made just now (or: curl -k https://localhost:$PORT/hello)."
echo "Ctrl-C ends it."
trap : INT # it is for the server, which says goodbye to its sockets; this script only cleans up
"${PROGRAM:-build/host-c}"
