#!/usr/bin/env bash
# Runs the Rust tests (unit and tests/*.rs) under a sanitizer.
#
#   rust.sh address|thread [ARGUMENT of cargo test...]
#
# Sanitizers are an unstable option of rustc. RUSTC_BOOTSTRAP=1 lets any compiler take it, so no nightly is needed.
# The standard library is not instrumented: what that makes ThreadSanitizer say wrongly is in thread.supp.
# A sanitizer multiplies memory: tests that bound it read the factor from H2WS_MEMORY_FACTOR.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

sanitizer=${1:-}
target=$(rustc -vV | sed -n 's/^host: //p')
flags=(-Zsanitizer="$sanitizer" -Cforce-frame-pointers=yes -Cdebuginfo=line-tables-only)
case $sanitizer in
address)
    export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:detect_stack_use_after_return=1:strict_string_checks=1 ;;
thread)
    # The instrumented crate calls the uninstrumented std, which rustc calls a mismatch of ABIs.
    flags+=(-Cunsafe-allow-abi-mismatch=sanitizer)
    export TSAN_OPTIONS="suppressions=$PWD/tests/sanitize/thread.supp halt_on_error=0 second_deadlock_stack=1" ;;
*) sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
esac
shift

export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="${flags[*]}"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/$sanitizer-sanitizer
export H2WS_MEMORY_FACTOR=16

# Tests that look at files, and not at the running engine, have nothing for a sanitizer to find; c_tests brings the C
# compiler's own sanitizer with it.
files_only=' abi_symbols c_tests doc_coverage header_sync layering version_macros '
tests=()
for file in tests/*.rs; do
    name=$(basename "$file" .rs)
    [[ $files_only == *" $name "* ]] || tests+=(--test "$name")
done
# With --target, build scripts and procedural macros stay as they are.
exec cargo test --target "$target" --lib "${tests[@]}" "$@"
