#!/usr/bin/env bash
# nghttp and h2load (nghttp2) as clients of the test host at URL: ordinary requests, 100 streams at once, load.
set -euo pipefail

: "${URL:?is not set: run this by tests/host/with-host.sh}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" > "$scratch/out" 2>&1; then
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name:"
        tail -n 15 "$scratch/out" | sed 's/^/          /'
    fi
}
same() { # same EXPECTED ACTUAL
    [ "$1" = "$2" ] || { echo "expected $1, got $2"; return 1; }
}

get() { same "hello, world" "$(timeout 20 nghttp "$URL/hello")"; }
download() { same 1000000 "$(timeout 20 nghttp "$URL/bytes/1000000" | wc -c)"; }
upload() {
    head -c 500000 /dev/urandom > "$scratch/body"
    timeout 20 nghttp --data="$scratch/body" --trailer='x-sum: 7' -v "$URL/echo-body" > "$scratch/verbose"
    grep -a -q 'x-sum: 7' <(sed -n '/recv HEADERS.*$/,$p' "$scratch/verbose") || { echo "the trailer did not come back"; return 1; }
    timeout 20 nghttp --data="$scratch/body" "$URL/echo-body" | cmp - "$scratch/body"
}
goaway() { # what it says at the end of a connection: nobody blames anybody
    timeout 20 nghttp -nv "$URL/" > "$scratch/verbose"
    ! grep -a -E 'error_code=[A-Z_]+' "$scratch/verbose" | grep -a -v NO_ERROR
}
hundred_streams() {
    local urls=()
    for i in $(seq 100); do urls+=("$URL/slow/50?$i"); done
    timeout 30 nghttp -n --stat "${urls[@]}" > "$scratch/stat"
    same 100 "$(grep -c ' 200 .*/slow/50' "$scratch/stat")"
}
load() { # load REQUESTS ARGUMENT...: every request answered with 2xx
    local n=$1
    shift
    timeout 60 h2load -n "$n" "$@" > "$scratch/load"
    grep -q "requests: $n total, $n started, $n done, $n succeeded, 0 failed, 0 errored, 0 timeout" "$scratch/load" &&
        grep -q "status codes: $n 2xx" "$scratch/load" || { grep -E '^(requests|status)' "$scratch/load"; return 1; }
}

check "nghttp: GET" get
check "nghttp: 1,000,000 bytes down" download
check "nghttp: 500,000 bytes up and down with a trailer" upload
check "nghttp: the connection ends without an error code" goaway
check "nghttp: 100 streams at once" hundred_streams
check "h2load: 20,000 requests, 4 connections of 100 streams" load 20000 -c 4 -m 100 "$URL/hello"
check "h2load: 500 bodies of 100 kB each way, 2 connections of 10 streams" load 500 -c 2 -m 10 -d "$scratch/body" -t 1 "$URL/echo-body"
check "h2load: one connection after the other, 200 times" load 200 -c 200 -m 1 "$URL/hello"
[ "$failed" = 0 ]
