#!/bin/sh
# Builds and runs the tests of h2ws.hpp against the release library.
#   tests/cpp/run.sh [FOLDER OF libh2ws.a]     default: $CARGO_TARGET_DIR/release or target/release
set -eu
cd "$(dirname "$0")/../.."
release=${1:-${CARGO_TARGET_DIR:-target}/release}
[ -f "$release/libh2ws.a" ] || { echo "$release/libh2ws.a is missing: run \`make release-library\`" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
native=$(bindings/native-static-libs.sh)

# `build STANDARD PROGRAM SOURCE...`
build() {
    standard=$1 program=$2
    shift 2
    # shellcheck disable=SC2086
    "${CXX:-c++}" "-std=$standard" -O1 -g -Wall -Wextra -Wpedantic -Werror ${CXXFLAGS:-} -pthread \
        -Iinclude -Ibindings/cpp/include "$@" "$release/libh2ws.a" $native -o "$folder/$program"
}

for standard in c++17 c++20; do
    build "$standard" standalone tests/cpp/standalone.cpp tests/cpp/second_unit.cpp
    "$folder/standalone" || { echo "standalone ($standard) ended with $?, expected 0" >&2; exit 1; }
done
echo "standalone: ok"
build c++17 values_test tests/cpp/values_test.cpp
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/tls.pem" -out "$folder/cert.pem" -days 2 -subj /CN=localhost 2> /dev/null
cat "$folder/cert.pem" >> "$folder/tls.pem"
"$folder/values_test" "$folder/tls.pem"
build c++17 duplex_test tests/cpp/duplex_test.cpp
"$folder/duplex_test"
build c++17 run_test tests/cpp/run_test.cpp
"$folder/run_test"
build c++17 throwing_server tests/cpp/throwing_server.cpp
node tests/cpp/exceptions.mjs "$folder/throwing_server"
# Programs without exceptions may use the header too.
"${CXX:-c++}" -std=c++17 -fno-exceptions -Wall -Wextra -Wpedantic -Werror -Iinclude -Ibindings/cpp/include \
    -fsyntax-only tests/cpp/second_unit.cpp
echo "tests/cpp: ok"
