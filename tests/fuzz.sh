#!/usr/bin/env bash
# Runs fuzz targets from their committed corpus, two at a time.
#
#   fuzz.sh SECONDS [TARGET...]     SECONDS for each (default: every target of fuzz/Cargo.toml)
#
# Built with cargo alone: RUSTC_BOOTSTRAP=1 lets any compiler take the unstable options, so neither a nightly nor
# cargo-fuzz is needed (`cargo +nightly fuzz run TARGET` works as well). AddressSanitizer is on.
# New inputs go to build/fuzz/TARGET, not into the corpus; what makes a target fail, to fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:?usage: fuzz.sh SECONDS [TARGET...]}
shift
mapfile -t all < <(sed -n '/^\[\[bin\]\]/,/^$/ s/^name = "\(.*\)"/\1/p' fuzz/Cargo.toml)
[ $# -gt 0 ] || set -- "${all[@]}"
[ $# -gt 0 ] || { echo "fuzz: fuzz/Cargo.toml has no target" >&2; exit 1; }

target=$(rustc -vV | sed -n 's/^host: //p')
folder=${CARGO_TARGET_DIR:-target}/fuzz
echo "fuzz: building ${*}"
RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$folder RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cdebug-assertions -Coverflow-checks \
-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --manifest-path fuzz/Cargo.toml --release --config 'profile.release.lto=false' --target "$target" \
    $(printf -- '--bin %s ' "$@")

mkdir -p build/fuzz build/log
failed=()
run() {
    local name=$1
    mkdir -p "build/fuzz/$name" "fuzz/artifacts/$name"
    [ -n "$(ls "fuzz/corpus/$name" 2> /dev/null)" ] || { echo "fuzz: $name has no corpus in fuzz/corpus/$name"; return 1; }
    "$folder/$target/release/$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="fuzz/artifacts/$name/" "build/fuzz/$name" "fuzz/corpus/$name" > "build/log/fuzz-$name.log" 2>&1
}
while [ $# -gt 0 ]; do
    pair=("${@:1:2}")
    shift ${#pair[@]}
    pids=()
    for name in "${pair[@]}"; do
        run "$name" &
        pids+=($!)
    done
    for i in "${!pair[@]}"; do
        name=${pair[$i]}
        if wait "${pids[$i]}"; then
            echo "fuzz: $name, $(sed -n 's/^stat::number_of_executed_units: *//p' "build/log/fuzz-$name.log") inputs in $seconds s, no failure"
        else
            failed+=("$name")
            echo "fuzz: $name FAILED, the end of build/log/fuzz-$name.log:"
            tail -n 40 "build/log/fuzz-$name.log"
        fi
    done
done
[ ${#failed[@]} -eq 0 ]
