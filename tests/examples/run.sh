#!/bin/sh
# Runs each example that is built (`make examples`) on a free port, drives a request and a WebSocket against it, and ends
# it with SIGTERM.
#   tests/examples/run.sh [PROGRAM...]     default: build/echo-c build/echo-cpp build/adopt-c build/echo-rs
# Those in Java are run so by `make java-test`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
[ $# -gt 0 ] || set -- build/echo-c build/echo-cpp build/adopt-c build/echo-rs

folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT

fail() {
    echo "$1" >&2
    sed 's/^/    stdout: /' "$folder/out" >&2
    sed 's/^/    stderr: /' "$folder/err" >&2
    exit 1
}

# Waits, 30 s at most, until a line of the server's output matches.
wait_for() {
    for _ in $(seq 600); do
        if grep -q "$1" "$folder/out"; then return 0; fi
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

one() {
    : >"$folder/out" # at once: the background job's own truncation may come after the first look, which would see the last server's
    PORT=0 "$@" >"$folder/out" 2>"$folder/err" &
    server=$!
    wait_for '^listening on http://' || fail "$1 did not start listening"
    url=$(sed -n 's/^listening on //p' "$folder/out")
    node "$here/client.mjs" "$url" || fail "$1 failed its client"
    kill -TERM "$server"
    code=0
    wait "$server" || code=$?
    server=
    # a JVM whose shutdown hooks have run says so by the signal's number
    case $1 in *-java) expected=143 ;; *) expected=0 ;; esac
    # with EXAMPLE_JAVA_OPTIONS=-Xcheck:jni
    if grep -E 'WARNING in native|FATAL ERROR in native' "$folder/out" "$folder/err"; then fail "the JVM complains of our natives"; fi
    [ "$code" -eq "$expected" ] || fail "$1 ended with $code on SIGTERM, expected $expected"
}

for program in "$@"; do
    [ -x "$program" ] || { echo "$program is missing: run \`make examples\`" >&2; exit 1; }
    echo "== $program"
    one "$program"
    case $program in
    */adopt-*|*/netty-*) ;; # they say nothing about closed sockets
    *) grep -q '^closed: 4000 enough$' "$folder/out" || fail "$program did not print \"closed: 4000 enough\"" ;;
    esac
done

# The port may come as an argument too, and one that is taken is an error that names the address.
echo "== a port in use"
: >"$folder/out"
PORT=0 "$1" >"$folder/out" 2>"$folder/err" &
server=$!
wait_for '^listening on http://' || fail "$1 did not start listening"
port=$(sed -n 's/^listening on .*://p' "$folder/out")
if "$1" "$port" >"$folder/second" 2>&1; then fail "$1 on port $port, which is in use, ended with 0"; fi
grep -q "$port" "$folder/second" || fail "$1 does not name the port $port that is in use: $(cat "$folder/second")"
kill -TERM "$server"
wait "$server" || true # how, is looked at above
server=
echo "all examples work"
