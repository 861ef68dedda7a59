#!/usr/bin/env bash
# The Javadoc of the API, where a warning fails. Then the Java tests, on each JDK that is named, with -Xcheck:jni: a warning of the
# JVM about our natives fails.
#
#   test.sh NATIVE [JAVA...]     NATIVE: libh2ws_jni.so; JAVA: a java program (default: those of JDK 17 and JDK 25)
#
# They are JAVA_17 and JAVA_25, or that of the PATH, or are looked for below /usr/lib/jvm. CI has to have both.
set -euo pipefail

native=$(realpath "${1:?usage: test.sh NATIVE [JAVA...]}")
shift
cd "$(dirname "${BASH_SOURCE[0]}")"

major() { "$1" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p'; }
find_java() { # find_java MAJOR [JAVA]: prints the first that is of this version
    local wanted=$1 java
    for java in "${2:-}" "$(command -v java)" /usr/lib/jvm/*"$wanted"*/bin/java; do
        [ -x "$java" ] && [ "$(major "$java")" = "$wanted" ] || continue
        echo "$java"
        return
    done
}
if [ $# -eq 0 ]; then
    for wanted in 17 25; do
        named=JAVA_$wanted
        java=$(find_java "$wanted" "${!named:-}")
        if [ -n "$java" ]; then
            set -- "$@" "$java"
        else
            echo "java: SKIPPED on JDK $wanted: there is none in the PATH or below /usr/lib/jvm, and $named is none" >&2
            [ "${CI:-}" != true ] || exit 1
        fi
    done
    # a newcomer's machine has another one
    [ $# -gt 0 ] || set -- "$(command -v java)"
fi
log=$(mktemp)
failed=0
echo "== Javadoc of dev.h2ws"
doc=$(mktemp -d)
trap 'rm -rf "$log" "$doc"' EXIT
javadoc -quiet -Xdoclint:all -Werror -d "$doc" --module-path . -sourcepath h2ws-jvm/src/main/java -subpackages dev.h2ws \
    -exclude dev.h2ws.internal || failed=1
data=$(size "$native" | awk 'NR == 2 { print $2 }')
if [ "$data" -gt 100000 ]; then
    echo "java: libh2ws_jni.so has $data bytes of data: with link-time optimisation it has 69,000, without 154,000" >&2
    failed=1
fi
for java in "$@"; do
    echo "== $("$java" -version 2>&1 | head -n 1)"
    find . -path '*/surefire-reports/*.dump*' -delete
    rm -f h2ws-jvm/target/*.jar
    mvn -B -ntp verify "-Dh2ws.native=$native" "-Djvm=$java" > "$log" 2>&1 || failed=1
    # what a test's JVM prints by itself goes there: its output is Surefire's
    find . -path '*/surefire-reports/*.dump*' -exec cat {} + >> "$log"
    grep -E 'Tests run:.*(FAIL|ERR)|^\[ERROR\]|Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$' "$log" || true
    if grep -E 'WARNING in native|^FATAL ERROR in native|WARNING: JNI local refs' "$log"; then
        echo "java: the JVM complains of our natives" >&2
        failed=1
    fi
    # the library alone, by classifier: for the class path of a machine that the main jar has none for
    if [ "$(jar tf h2ws-jvm/target/h2ws-jvm-0.1.0-linux-x86_64.jar | grep -v -e '/$' -e MANIFEST -e META-INF/maven)" != META-INF/native/linux-x86_64/libh2ws_jni.so ]; then
        echo "java: h2ws-jvm-0.1.0-linux-x86_64.jar is not the library alone" >&2
        failed=1
    fi
    # a test that is skipped is no test
    if grep -qE 'Tests run: [0-9]+, .*Skipped: [1-9]' "$log"; then
        echo "java: SKIPPED tests" >&2
        failed=1
    fi
done
exit "$failed"
