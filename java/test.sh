#!/usr/bin/env bash
# The Javadoc of the API, where a warning fails. Then the Java tests, on each JDK that is named, with -Xcheck:jni: a warning of the
# JVM about our natives fails.
#
#   test.sh NATIVE [JAVA...]     NATIVE: libh2ws_jni.so; JAVA: a java program (default: that of the PATH, and JDK 25's)
#
# JDK 25's is JAVA_25, or is looked for below /usr/lib/jvm. CI has to have it.
set -euo pipefail

native=$(realpath "${1:?usage: test.sh NATIVE [JAVA...]}")
shift
cd "$(dirname "${BASH_SOURCE[0]}")"
if [ $# -eq 0 ]; then
    set -- "$(command -v java)"
    newer=${JAVA_25:-$(ls -d /usr/lib/jvm/*25*/bin/java 2> /dev/null | head -n 1)}
    if [ -n "$newer" ]; then
        set -- "$@" "$newer"
    else
        echo "java: SKIPPED on JDK 25: there is none below /usr/lib/jvm, and JAVA_25 is not set" >&2
        [ "${CI:-}" != true ] || exit 1
    fi
fi
log=$(mktemp)
failed=0
echo "== Javadoc of dev.h2ws"
doc=$(mktemp -d)
trap 'rm -rf "$log" "$doc"' EXIT
javadoc -quiet -Xdoclint:all -Werror -d "$doc" --module-path . -sourcepath h2ws-jvm/src/main/java -subpackages dev.h2ws \
    -exclude dev.h2ws.internal || failed=1
for java in "$@"; do
    echo "== $("$java" -version 2>&1 | head -n 1)"
    find . -path '*/surefire-reports/*.dump*' -delete
    mvn -B -ntp verify "-Dh2ws.native=$native" "-Djvm=$java" > "$log" 2>&1 || failed=1
    # what a test's JVM prints by itself goes there: its output is Surefire's
    find . -path '*/surefire-reports/*.dump*' -exec cat {} + >> "$log"
    grep -E 'Tests run:.*(FAIL|ERR)|^\[ERROR\]|Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$' "$log" || true
    if grep -E 'WARNING in native|^FATAL ERROR in native|WARNING: JNI local refs' "$log"; then
        echo "java: the JVM complains of our natives" >&2
        failed=1
    fi
    # a test that is skipped is no test
    if grep -qE 'Tests run: [0-9]+, .*Skipped: [1-9]' "$log"; then
        echo "java: SKIPPED tests" >&2
        failed=1
    fi
done
exit "$failed"
