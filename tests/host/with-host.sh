#!/usr/bin/env bash
# Runs a command against a fresh test host, and holds the host to a clean end.
#
#   with-host.sh HOST COMMAND [ARGUMENT...]
#
# HOST is the program of a test host (build/host-c). It gets a free PORT and whatever else is in the
# environment (LOOPS, MAX_MESSAGE, H2WS_...). COMMAND runs once it has said "listening on", and gets
#
#   PORT, ADDRESS (127.0.0.1:PORT), URL (http://127.0.0.1:PORT, or https: if it speaks TLS)
#   HOST_NAME     the program's name, for result folders
#   HOST_PID      its process
#
# Afterwards: within 10 s all sockets of COMMAND must be closed in the host, and a native host has as many
# threads as at its start; then SIGTERM, and it must exit with 0 within 15 s.
#
#   TLS=1         makes a self-signed certificate for the host, and names its files in TLS_CERT and TLS_KEY
#   HOST_WRAPPER  words put before the program, such as "valgrind --error-exitcode=9"
#   HOST_LOG      where its output goes (default: a temporary file, shown when something failed)
#   HOST_STARTUP  seconds it may take to start (default 30)
#
# Exit: COMMAND's own code; 125 when COMMAND passed and the host did not.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
host=$1
shift
[ -x "$host" ] || { echo "with-host: $host is not there or not executable; 'make hosts' builds the test hosts" >&2; exit 2; }
host=$(cd "$(dirname "$host")" && pwd)/$(basename "$host")

log=${HOST_LOG:-}
scratch='' certificate=''
[ -n "$log" ] || { scratch=$(mktemp); log=$scratch; }
pid=
cleanup() {
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then kill -KILL "$pid" 2>/dev/null || true; fi
    if [ -n "$scratch" ]; then rm -f "$scratch"; fi
    if [ -n "$certificate" ]; then rm -rf "$certificate"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM
if [ "${TLS:-0}" = 1 ]; then
    certificate=$(mktemp -d)
    "$(dirname "${BASH_SOURCE[0]}")/certificate.sh" "$certificate"
    export TLS_CERT=$certificate/cert.pem TLS_KEY=$certificate/key.pem
fi

show_log() {
    echo "--- output of $(basename "$host") (last 40 lines)" >&2
    tail -n 40 "$log" >&2
}
sockets() { # of the host: every adopted or accepted one, and the listeners
    find "/proc/$pid/fd" -lname 'socket:*' 2>/dev/null | wc -l
}
threads() { find "/proc/$pid/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

# A port below the range that outgoing connections use; somebody may still take it first, hence three tries.
free_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}
started() {
    local deadline=$((SECONDS + ${HOST_STARTUP:-30}))
    until grep -q 'listening on' "$log"; do
        kill -0 "$pid" 2>/dev/null || return 1
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}
for try in 1 2 3; do
    PORT=$(free_port)
    export PORT
    # shellcheck disable=SC2086  # HOST_WRAPPER is words on purpose
    ${HOST_WRAPPER:-} "$host" > "$log" 2>&1 < /dev/null &
    pid=$!
    started && break
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    if [ "$try" = 3 ] || ! grep -qi 'in use' "$log"; then
        echo "with-host: $host did not say 'listening on' on port $PORT" >&2
        show_log
        exit 125
    fi
done
sockets_before=$(sockets)
threads_before=$(threads)

URL=$(sed -n 's/.*listening on \(http[^ ]*\).*/\1/p' "$log" | head -n 1)
export ADDRESS=127.0.0.1:$PORT URL HOST_PID=$pid
HOST_NAME=$(basename "$host")
export HOST_NAME
code=0
"$@" || code=$?
[ "$code" = 0 ] || show_log

fault() {
    echo "with-host: $HOST_NAME: $1" >&2
    show_log
    [ "$code" != 0 ] || code=125
    exit "$code"
}
kill -0 "$pid" 2>/dev/null || { wait "$pid" && died=0 || died=$?; fault "ended by itself with code $died while the command ran"; }

# A host that leaks shows it here, whatever it counts about itself.
deadline=$((SECONDS + 10))
while [ "$(sockets)" -gt "$sockets_before" ]; do
    [ "$SECONDS" -lt "$deadline" ] || fault "still holds $(sockets) sockets 10 s after the command; $sockets_before at its start"
    sleep 0.1
done
# A JVM starts threads of its own as it pleases: not judged.
if [ "$(head -c 4 "$host" | tail -c 3)" = ELF ]; then
    while [ "$(threads)" -gt "$threads_before" ]; do
        [ "$SECONDS" -lt "$deadline" ] || fault "has $(threads) threads 10 s after the command; $threads_before at its start"
        sleep 0.1
    done
fi

kill -TERM "$pid"
deadline=$((SECONDS + 15))
while kill -0 "$pid" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || fault "still runs 15 s after SIGTERM"
    sleep 0.05
done
ended=0
wait "$pid" || ended=$?
pid=
[ "$ended" = 0 ] || fault "ended with code $ended after SIGTERM, not 0"
exit "$code"
