#!/usr/bin/env bash
# Makes a self-signed certificate for localhost and 127.0.0.1, good for a week: FOLDER/cert.pem and FOLDER/key.pem.
#
#   certificate.sh FOLDER
set -euo pipefail

folder=${1:?usage: certificate.sh FOLDER}
log=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256 -nodes -days 7 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>&1) || { printf '%s\n' "$log" >&2; exit 1; }
