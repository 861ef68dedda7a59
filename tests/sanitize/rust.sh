#!/usr/bin/env bash
# Runs the Rust tests (unit and tests/*.rs) under a sanitizer.
#
#   rust.sh address|thread [ARGUMENT of cargo test...]
#
# Sanitizers are an unstable option of rustc. RUSTC_BOOTSTRAP=1 lets any compiler take it, so no nightly is needed.
# The standard library is not instrumented; for ThreadSanitizer std_sync.c stands between it and the tests, and
# thread.supp has what is left. race.rs proves each time that a race is still found, and that locks are understood.
# A sanitizer multiplies memory: tests that bound it read the factor from H2WS_MEMORY_FACTOR.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Compiles std_sync.c for the functions of this compiler's std, and has the linker put them before std's.
wrap_std() {
    local object=build/std_sync.o defines=() symbols macro pattern symbol
    symbols=$(nm "$(rustc --print sysroot)/lib/rustlib/$target/lib/"libstd-*.so | awk '$2 == "T" { print $3 }')
    while read -r macro pattern; do
        symbol=$(grep -E "$pattern" <<< "$symbols") && [ "$(wc -l <<< "$symbol")" = 1 ] ||
            { echo "sanitize: std has not one function like $pattern but: $symbol" >&2; exit 1; }
        defines+=("-D$macro=$symbol")
        flags+=("-Clink-arg=-Wl,--wrap=$symbol")
    done <<'LIST'
MUTEX_LOCK_CONTENDED 4sync5mutex5futex.*14lock_contended$
RWLOCK_READ_CONTENDED 4sync6rwlock5futex.*14read_contended$
RWLOCK_WRITE_CONTENDED 4sync6rwlock5futex.*15write_contended$
CONDVAR_WAIT 4sync7condvar5futex.*7Condvar4wait$
CONDVAR_WAIT_TIMEOUT 4sync7condvar5futex.*7Condvar12wait_timeout$
BARRIER_WAIT 4sync7barrier.*7Barrier4wait$
SCOPE_DECREMENT 6thread6scoped.*29decrement_num_running_threads$
LIST
    mkdir -p build
    cc -O1 -g -Wall -Wextra -Werror "${defines[@]}" -c tests/sanitize/std_sync.c -o "$object"
    flags+=("-Clink-arg=$PWD/$object")
}

# A sanitizer that finds nothing may be one that does not work.
prove_threads() {
    rustc --edition 2024 -O -g "${flags[@]}" tests/sanitize/race.rs -o build/race
    build/race > build/race.log 2>&1 || { cat build/race.log >&2; echo "sanitize: locks are taken for races" >&2; exit 1; }
    ! build/race racing > build/race.log 2>&1 || { echo "sanitize: a race is not found" >&2; exit 1; }
    grep 'ThreadSanitizer: data race' build/race.log > /dev/null || { cat build/race.log >&2; exit 1; }
}

sanitizer=${1:-}
target=$(rustc -vV | sed -n 's/^host: //p')
flags=(-Zsanitizer="$sanitizer" -Cforce-frame-pointers=yes -Cdebuginfo=line-tables-only)
export RUSTC_BOOTSTRAP=1
case $sanitizer in
address)
    export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1 ;;
thread)
    # The instrumented crate calls the uninstrumented std, which rustc calls a mismatch of ABIs.
    flags+=(-Cunsafe-allow-abi-mismatch=sanitizer)
    wrap_std
    export TSAN_OPTIONS="suppressions=$PWD/tests/sanitize/thread.supp halt_on_error=0 second_deadlock_stack=1"
    prove_threads ;;
*) sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
esac
shift

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
