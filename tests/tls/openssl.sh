#!/usr/bin/env bash
# The TLS of a test host as openssl's client sees it: versions, suites, resumption, renegotiation, ALPN, reload.
#
#   TLS=1 tests/host/with-host.sh build/host-c tests/tls/openssl.sh
#
# TLS_BY=jvm: by build/host-java with TLS that ends in the JVM, whose cipher suites are those of the JVM.
#
# Each line is a check; exit 1 if one failed. TLS_CERT and TLS_KEY are replaced by a new certificate for the last one.
set -uo pipefail

: "${ADDRESS:?run it by with-host.sh}" "${TLS_CERT:?with TLS=1}" "${TLS_KEY:?}" "${HOST_PID:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

check() { # check NAME CONDITION...
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        sed 's/^/        | /' "$folder/out" | head -n 30
    fi
}
# client ARGUMENT...: a handshake and no request; what openssl says of it goes to $folder/out.
client() { timeout 20 openssl s_client -connect "$ADDRESS" -servername localhost "$@" < /dev/null > "$folder/out" 2>&1; }
says() { grep -qE "$1" "$folder/out"; }
agreed() { says "^New, $1, Cipher is" || says "^Reused, $1, Cipher is"; }
# Neither a suite was agreed on, nor did openssl itself have nothing to offer.
refused() { says 'Cipher is \(NONE\)' && says 'alert|unexpected eof|wrong version number' && ! says 'no cipher match|unknown option|Usage:'; }
# By suites that HTTP/2 forbids (RFC 9113 appendix A) there is nothing; in the JVM, HTTP/1.1 at most.
withheld() { refused || { [ "${TLS_BY:-native}" = jvm ] && says '^ALPN protocol: http/1.1$'; }; }

for version in tls1_2 tls1_3; do
    name=TLSv1.${version#tls1_}
    client "-$version"
    check "$name is spoken" agreed "$name"
done
for version in tls1 tls1_1; do
    # @SECLEVEL=0, or openssl would not offer it
    client "-$version" -cipher 'ALL:@SECLEVEL=0'
    check "$version is refused" refused
done
# As far as this openssl still knows them.
for suites in NULL aNULL EXPORT RC4 3DES DES MD5 kRSA SHA1 AES128-SHA256 ECDHE-ECDSA-AES256-SHA384 DHE PSK; do
    if [ -z "$(openssl ciphers "$suites:@SECLEVEL=0" 2> /dev/null)" ] ||
        [ -z "$(openssl ciphers -s -tls1_2 "$suites:@SECLEVEL=0" 2> /dev/null | tr ':' '\n' | grep -v TLS_)" ]; then
        echo "        openssl itself has no $suites any more"
        continue
    fi
    without="!ECDHE-ECDSA-AES128-GCM-SHA256:!ECDHE-ECDSA-AES256-GCM-SHA384:!ECDHE-ECDSA-CHACHA20-POLY1305:@SECLEVEL=0"
    client -tls1_2 -cipher "$suites:$without" -alpn h2,http/1.1
    check "TLS 1.2 with $suites is refused, or HTTP/1.1 where TLS ends in the JVM" withheld
    client -tls1_2 -cipher "$suites:$without" -alpn h2
    check "HTTP/2 over TLS 1.2 with $suites is refused" refused
done

for alpn in h2 http/1.1; do
    client -alpn "$alpn"
    check "ALPN $alpn" says "^ALPN protocol: $alpn\$"
done
client -alpn h2,http/1.1
check "ALPN prefers h2" says '^ALPN protocol: h2$'
client -alpn spdy/3
check "ALPN without anything in common is an alert" says 'no application protocol'

for version in tls1_2 tls1_3; do
    # a request, so that the tickets of TLS 1.3 have come
    printf 'GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        timeout 20 openssl s_client -connect "$ADDRESS" -servername localhost -alpn http/1.1 "-$version" -sess_out "$folder/session" -ign_eof > "$folder/out" 2>&1
    check "$version: the first session is new" says '^New, TLSv1'
    client -alpn http/1.1 "-$version" -sess_in "$folder/session"
    check "$version: it is resumed" says '^Reused, TLSv1'
done

# R asks for a renegotiation. Its input stays open, so that it ends by what the server says.
mkfifo "$folder/commands"
timeout 20 openssl s_client -connect "$ADDRESS" -alpn http/1.1 -tls1_2 < "$folder/commands" > "$folder/out" 2>&1 &
renegotiating=$!
exec 3> "$folder/commands"
echo R >&3
wait "$renegotiating"
exec 3>&-
# `closed` is close_notify, behind which no second certificate has come
check "renegotiation is refused" says 'no renegotiation|unexpected message|unexpected eof|NO_RENEGOTIATION|^closed$'
check "and there is no second handshake" [ "$(grep -c '^depth=0' "$folder/out")" = "$(sed '/^RENEGOTIATING/q' "$folder/out" | grep -c '^depth=0')" ]

# SIGHUP: new handshakes get the new certificate, an open connection goes on.
serial() { client -alpn http/1.1; openssl x509 -noout -serial < "$folder/out" 2> /dev/null; }
before=$(serial)
mkfifo "$folder/requests"
timeout 60 openssl s_client -connect "$ADDRESS" -alpn http/1.1 -quiet < "$folder/requests" > "$folder/answers" 2> /dev/null &
open=$!
exec 3> "$folder/requests"
answers() { # waits until there are $1
    for _ in $(seq 200); do
        [ "$(grep -ao 'hello, world' "$folder/answers" | wc -l)" -lt "$1" ] || return 0
        sleep 0.05
    done
    return 1
}
printf 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
check "an answer before the reload" answers 1
"$here/../host/certificate.sh" "$folder" && cp "$folder/cert.pem" "$TLS_CERT" && cp "$folder/key.pem" "$TLS_KEY"
kill -HUP "$HOST_PID"
renewed() {
    for _ in $(seq 100); do
        [ "$(serial)" = "$before" ] || return 0
        sleep 0.05
    done
    return 1
}
check "a reload by SIGHUP shows the new certificate" renewed
printf 'GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
check "the connection of before still answers" answers 2
exec 3>&-
wait "$open"
echo 'no certificate' > "$TLS_CERT"
now=$(serial)
kill -HUP "$HOST_PID"
client -alpn http/1.1
check "a reload that fails changes nothing" [ "$(serial)" = "$now" ]

echo "tls: $passed checks passed, $failed failed"
[ "$failed" = 0 ]
