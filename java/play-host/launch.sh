#!/usr/bin/env bash
# Starts the test host on Play. Its controllers do not know what serves them; the class path, made here, decides.
#
#   STOCK=1             Pekko's own server; without it, the drop-in's
#   JAVA                which Java; HOST_JAVA_OPTIONS: for the JVM
#   LOOPS, DEFLATE      the drop-in's configuration; HOST_JAVA_OPTIONS=-Dh2ws.KEY=VALUE sets any other key of it
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
class_path=$here/target/h2ws-play-host-0.1.0.jar:$here/target/lib/*
options=()

no_part() { # no_part WHO VARIABLE...: says so of those that are set
    local who=$1 name
    shift
    for name; do [ -z "${!name:-}" ] || echo "host-play: warn: $name has no part in $who" >&2; done
}

mapfile -t fields < <(compgen -e | grep '^H2WS_' | grep -vx 'H2WS_HOST\|H2WS_CACHE')
fields+=(MAX_MESSAGE NO_HTTP1 NO_HTTP2)
if [ "${STOCK:-0}" = 1 ]; then
    no_part "Pekko's own server" "${fields[@]}" LOOPS DEFLATE
else
    for module in h2ws-jvm h2ws-pekko h2ws-pekko-dropin; do
        jar=$here/../$module/target/$module-0.1.0.jar
        [ -f "$jar" ] || { echo "host-play: $jar is missing: 'make host-play' builds it; STOCK=1 does without" >&2; exit 1; }
        class_path=$class_path:$jar
    done
    options+=("-Dh2ws.loops=${LOOPS:-1}")
    [ "${DEFLATE:-0}" = 0 ] || options+=(-Dh2ws.websocket.compression=on)
    no_part "the drop-in" "${fields[@]}"
fi
# shellcheck disable=SC2086  # HOST_JAVA_OPTIONS is words on purpose
exec "${JAVA:-java}" -XX:+UseSerialGC "${options[@]}" ${HOST_JAVA_OPTIONS:-} -cp "$class_path" playhost.PlayHost
