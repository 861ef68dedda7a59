#!/usr/bin/env bash
# The C++ tests and the test host, with AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, against the
# release library. (The C tests of tests/c are built with them always: `cargo test --test c_tests`.)
#
#   c.sh FOLDER      of libh2ws.a
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

release=${1:?usage: c.sh FOLDER_OF_LIBH2WS}
flags=(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1

echo "== tests/cpp"
CXXFLAGS="${flags[*]}" tests/cpp/run.sh "$release"

echo "== the test host"
mkdir -p build
# shellcheck disable=SC2046  # words on purpose
cc -std=c11 -O1 -g "${flags[@]}" -Iinclude -pthread tests/host/*.c "$release/libh2ws.a" $(bindings/native-static-libs.sh) \
    -o build/host-c-sanitized
nm build/host-c-sanitized | grep __asan_init > /dev/null || { echo "sanitize: build/host-c-sanitized is not sanitized" >&2; exit 1; }
node tests/host/contract.mjs build/host-c-sanitized
tests/host/with-host.sh build/host-c-sanitized node tests/conformance/peers/node.mjs
echo "sanitize-c: no error, nothing lost"
