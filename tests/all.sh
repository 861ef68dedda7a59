#!/usr/bin/env bash
# make test: every step, one after the other, each with its time; a step that cannot run has failed.
#
#   all.sh [STEP...]      STEP is a make target (default: all)
#
# The output of a step goes to build/log/STEP.log, and its end to the terminal when the step fails.
# Closes with "N passed, N failed", counted over steps. Exit: 0 when none failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

steps=(setup build fmt clippy docs rust-test duplex-test c-test java-test examples-test packaging-test demo demo-play demo-c
    pekko-matrix pekko-host-test play-matrix play-host-test newcomer-test
    e2e-short proxies-test tls-test load-test
    conformance-h2spec conformance-h2spec-tls conformance-autobahn conformance-peers conformance-java conformance-pekko conformance-play
    sanitize-address sanitize-thread sanitize-c valgrind fuzz)
[ $# -eq 0 ] || steps=("$@")
logs=build/log
mkdir -p "$logs"

# What a log says in one line: the tests that cargo counted, or else the last line.
gist() {
    awk '/^test result:/ { ok += $4; bad += $6; n++ }
         NF { last = $0 }
         END { if (n) printf "%d tests passed, %d failed", ok, bad; else print substr(last, 1, 100) }' "$1"
}

end_of() { # end_of STEP LINES
    printf '        the end of %s:\n' "$logs/$1.log"
    tail -n "$2" "$logs/$1.log" | sed 's/^/        | /'
}

passed=0 failed=()
number=0
begin=$SECONDS
for step in "${steps[@]}"; do
    number=$((number + 1))
    printf '[%2d/%d] %-22s ' "$number" "${#steps[@]}" "$step"
    from=$SECONDS
    # The first step may download and compile: its lines are shown as they come.
    if [ "$step" = setup ]; then
        echo
        make "$step" 2>&1 < /dev/null | tee "$logs/$step.log" | sed -u 's/^/        /'
        status=${PIPESTATUS[0]}
        printf '        %-22s ' ''
    else
        make "$step" > "$logs/$step.log" 2>&1 < /dev/null
        status=$?
    fi
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        printf 'passed %4d s   %s\n' $((SECONDS - from)) "$(gist "$logs/$step.log")"
    else
        failed+=("$step")
        printf 'FAILED %4d s\n' $((SECONDS - from))
        end_of "$step" 60
    fi
done

echo
# Once more, where whoever sees only the end of a long log finds it.
for step in ${failed[@]+"${failed[@]}"}; do end_of "$step" 12; done
printf 'took %d min %d s\n' $(((SECONDS - begin) / 60)) $(((SECONDS - begin) % 60))
[ ${#failed[@]} -eq 0 ] || echo "failed: ${failed[*]}"
echo "$passed passed, ${#failed[@]} failed" | tee "$logs/total"
[ ${#failed[@]} -eq 0 ]
