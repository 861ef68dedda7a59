#!/usr/bin/env bash
# curl as a client of the test host at URL: which HTTP version comes of what it offers, and bodies over each. Over TLS
# (TLS_CERT is whom it trusts) also ALPN and old versions of TLS.
set -euo pipefail

: "${URL:?is not set: run this by tests/host/with-host.sh}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tls=()
[ "${URL#https}" = "$URL" ] || tls=(--cacert "$TLS_CERT")
head -c 3000000 /dev/urandom > "$scratch/body"

failed=0
check() { # check NAME COMMAND...
    local name="curl${tls:+ over TLS}: $1"
    shift
    if "$@" > "$scratch/out" 2>&1; then
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name:"
        tail -n 15 "$scratch/out" | sed 's/^/          /'
    fi
}
same() { [ "$1" = "$2" ] || { echo "expected $1, got $2"; return 1; }; }
ask() { timeout 20 curl --silent --show-error "${tls[@]}" "$@"; }

version() { # version EXPECTED FLAG...: an answer in this version
    local expected=$1
    shift
    same "hello, world $expected" "$(ask "$@" --write-out ' %{http_version}' "$URL/hello")"
}
upload() { # upload FLAG...: a body comes back as it was
    ask "$@" --data-binary "@$scratch/body" --header 'content-type: application/octet-stream' "$URL/echo-body" | cmp - "$scratch/body"
}
chunked() { upload "$@" --header 'transfer-encoding: chunked'; }
# RFC 9110 §10.1.1. curl says in its trace that it waits, and what for.
continues() { upload "$@" --header 'expect: 100-continue' --expect100-timeout 15 --dump-header "$scratch/head" && grep -q '^HTTP/[0-9.]* 100' "$scratch/head"; }
download() { same 5000000 "$(ask "$@" "$URL/bytes/5000000" | wc -c)"; }
head_of() {
    ask "$@" --head "$URL/bytes/1000" > "$scratch/head"
    grep -q -i '^content-length: 1000' "$scratch/head"
}
reused() { # three requests, one connection
    same "1 0 0 " "$(ask "$@" --write-out '%{num_connects} ' -o /dev/null "$URL/hello" -o /dev/null "$URL/no/such/path" -o /dev/null "$URL/bytes/100000")"
}
refused() { ! ask "$@" "$URL/hello"; }

if [ ${#tls[@]} -gt 0 ]; then
    check "ALPN h2 is HTTP/2" version 2 --http2
    check "ALPN http/1.1 alone is HTTP/1.1" version 1.1 --http1.1
    check "no ALPN is HTTP/1.1" version 1.1 --no-alpn
    check "prior knowledge is HTTP/2" version 2 --http2-prior-knowledge
    check "TLS 1.2 is HTTP/2" version 2 --tls-max 1.2
    # Its own library is willing only at security level 0.
    check "TLS 1.1 is refused" refused --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0
    check "TLS 1.0 is refused" refused --tls-max 1.0 --ciphers DEFAULT@SECLEVEL=0
    http2=--http2
else
    check "HTTP/1.1" version 1.1 --http1.1
    # RFC 9113 §3.1: "h2c" in Upgrade is obsolete, and a server may ignore it.
    check "Upgrade: h2c stays HTTP/1.1" version 1.1 --http2
    check "prior knowledge is HTTP/2" version 2 --http2-prior-knowledge
    http2=--http2-prior-knowledge
fi
for flag in --http1.1 "$http2"; do
    check "${flag#--}: 3,000,000 bytes up and down" upload "$flag"
    check "${flag#--}: 5,000,000 bytes down" download "$flag"
    check "${flag#--}: HEAD" head_of "$flag"
    check "${flag#--}: three requests on one connection" reused "$flag"
done
# Its ALPN would be http/1.0, which is nobody's here.
check "HTTP/1.0" version 1 --http1.0 --no-alpn
check "http1.1: a chunked body up and down" chunked --http1.1
check "http1.1: Expect: 100-continue" continues --http1.1
[ "$failed" = 0 ]
