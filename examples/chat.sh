#!/usr/bin/env bash
# Starts a chat on https://localhost:8443/, until Ctrl-C. `make demo-pekko-serve` and `make demo-play-serve` build it first.
#
#   chat.sh pekko|play
#
#   PORT                  another port
#   TLS_CERT, TLS_KEY     its certificate, as PEM files; without them one is made for this run
#   STOCK=1               without the drop-in: Pekko's own server, where WebSockets are HTTP/1.1
#   JAVA                  which Java; CHAT_JAVA_OPTIONS: for the JVM
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
app=${1:?usage: chat.sh pekko|play}-chat
class_path=$here/$app/target/$app-0.1.0.jar
dropin=no
for jar in "$here/$app"/target/lib/*.jar; do
    case $(basename "$jar") in
    h2ws-*) [ "${STOCK:-0}" = 1 ] || { class_path=$class_path:$jar; dropin=yes; } ;;
    *) class_path=$class_path:$jar ;;
    esac
done
[ "${STOCK:-0}" = 1 ] || [ "$dropin" = yes ] || { echo "chat: it was built with -Dstock, so only STOCK=1 starts it" >&2; exit 1; }

folder=$(mktemp -d)
pid=
trap 'rm -rf "$folder"' EXIT
export KEYSTORE=$folder/localhost.p12 KEYSTORE_PASSWORD=localhost
if [ -n "${TLS_CERT:-}" ]; then
    openssl pkcs12 -export -in "$TLS_CERT" -inkey "$TLS_KEY" -passout "pass:$KEYSTORE_PASSWORD" -out "$KEYSTORE"
else
    keytool -genkeypair -keyalg EC -groupname secp256r1 -alias localhost -dname CN=localhost -ext san=dns:localhost,ip:127.0.0.1 \
        -validity 7 -storetype PKCS12 -storepass "$KEYSTORE_PASSWORD" -keystore "$KEYSTORE" > "$folder/keytool.log" 2>&1 ||
        { cat "$folder/keytool.log" >&2; exit 1; }
fi
# Play signs sessions with it; none outlives this run
APPLICATION_SECRET=$(head -c 32 /dev/urandom | base64)
export APPLICATION_SECRET
# Java ends with 128 + the signal's number when a signal has ended it well.
trap 'kill -TERM "$pid" 2> /dev/null || true' INT TERM
# shellcheck disable=SC2086  # CHAT_JAVA_OPTIONS is words on purpose
"${JAVA:-java}" ${CHAT_JAVA_OPTIONS:-} -cp "$class_path" chat.ChatServer &
pid=$!
code=0
wait "$pid" || code=$?
while kill -0 "$pid" 2> /dev/null; do code=0; wait "$pid" || code=$?; done
case $code in 0 | 130 | 143) exit 0 ;; *) exit "$code" ;; esac
