#!/usr/bin/env bash
# Runs the h2spec suites generic, http2 and hpack against the test host at URL (with-host.sh sets it), cleartext or TLS.
#
#   run.sh [SPEC...]      SPEC as h2spec takes it, such as http2/6.9 (default: the three suites, 145 cases)
#
#   RESULTS       folder for the reports (default tests/conformance/results/HOST_NAME/h2spec or h2spec-tls)
#   H2SPEC        the program, made by tests/setup.sh h2spec
#
# Exit: 0 all cases passed, 1 some failed or were skipped, 2 the run is incomplete or could not start.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${URL:?is not set: run this by tests/host/with-host.sh HOST $0}"
h2spec=${H2SPEC:-${H2WS_CACHE:-$HOME/.cache/h2ws}/h2spec/bin/h2spec}
[ -x "$h2spec" ] || { echo "h2spec: $h2spec is not there; run tests/setup.sh h2spec" >&2; exit 2; }

tls=()
[ "${URL#https}" = "$URL" ] || tls=(-t -k)
out=${RESULTS:-$here/../results/${HOST_NAME:-host}/h2spec${tls:+-tls}}
mkdir -p "$out"
rm -f "$out"/*
expected=0
[ $# -gt 0 ] || { set -- generic http2 hpack; expected=145; }
# Its exit code says nothing about cases that were skipped: summary.py judges the report.
timeout 600 "$h2spec" "$@" "${tls[@]}" -p "${URL##*:}" -j "$out/junit.xml" > "$out/h2spec.log" 2>&1 || true
[ -s "$out/junit.xml" ] || { echo "h2spec: no report was written:" >&2; tail -n 20 "$out/h2spec.log" >&2; exit 2; }
echo "h2spec ${tls:+over TLS }$*; its log is $out/h2spec.log"
python3 "$here/summary.py" "$out" "$expected"
