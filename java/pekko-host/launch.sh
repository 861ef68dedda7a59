#!/usr/bin/env bash
# Starts the test host on Pekko. Its source does not know what serves it; the class path, made here, decides.
#
#   STOCK=1             Pekko's own server; without it, the drop-in's
#   JAVA                which Java; HOST_JAVA_OPTIONS: for the JVM
#   LOOPS, MAX_MESSAGE, DEFLATE, NO_HTTP1, NO_HTTP2, H2WS_<FIELD>
#                       become the drop-in's configuration, h2ws.<field>; Pekko's own server has nothing like them
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
class_path=$here/target/h2ws-pekko-host-0.1.0.jar:$here/target/lib/*
options=()

key() { # H2WS_MAX_STREAMS is h2ws.max-streams
    local name=${1,,}
    echo "h2ws.${name//_/-}"
}

names=$(compgen -e | grep '^H2WS_' | grep -vx 'H2WS_HOST\|H2WS_CACHE' || true)
if [ "${STOCK:-0}" = 1 ]; then
    for name in $names LOOPS MAX_MESSAGE DEFLATE NO_HTTP1 NO_HTTP2; do
        [ -z "${!name:-}" ] || echo "host-pekko: warn: $name has no part in Pekko's own server" >&2
    done
else
    for module in h2ws-jvm h2ws-pekko h2ws-pekko-dropin; do
        jar=$here/../$module/target/$module-0.1.0.jar
        [ -f "$jar" ] || { echo "host-pekko: $jar is missing: 'make host-pekko' builds it; STOCK=1 does without" >&2; exit 1; }
        class_path=$class_path:$jar
    done
    options+=("-Dh2ws.loops=${LOOPS:-1}")
    for name in $names; do options+=("-D$(key "${name#H2WS_}")=${!name}"); done
    [ -z "${MAX_MESSAGE:-}" ] || options+=("-Dh2ws.max-message=$MAX_MESSAGE")
    [ "${DEFLATE:-0}" = 0 ] || options+=("-Dh2ws.deflate=on")
    [ "${NO_HTTP1:-0}" = 0 ] || options+=("-Dh2ws.http1=off")
    [ "${NO_HTTP2:-0}" = 0 ] || options+=("-Dh2ws.http2=off")
fi
# shellcheck disable=SC2086  # HOST_JAVA_OPTIONS is words on purpose
exec "${JAVA:-java}" -XX:+UseSerialGC "${options[@]}" ${HOST_JAVA_OPTIONS:-} -cp "$class_path" pekkohost.PekkoHost
