#!/bin/sh
# Installs the library into a temporary place, then builds and runs programs outside the tree against it: with CMake's
# find_package and with pkg-config, shared and static, C and C++. Each is asked one request by curl.
# The top Makefile has to include bindings/install.mk.
set -eu
cd "$(dirname "$0")/../.."
top=$(pwd)
folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT

version=$(sed -n 's/^version = "\([0-9.]*\)"/\1/p' Cargo.toml | head -n 1)
so=$(sed -n 's/^const ABI: u32 = \([0-9]*\);/\1/p' build.rs)
prefix=/opt/h2ws
stage=$folder/stage

fail() {
    echo "tests/packaging: $1" >&2
    exit 1
}

make_() {
    if [ -f "$top/Makefile" ]; then make -s -C "$top" "$@"; else make -s -C "$top" -f bindings/install.mk "$@"; fi
}

# `ask PROGRAM [LD_LIBRARY_PATH]`: starts it, asks one request, ends it.
ask() {
    program=$1
    mkfifo "$folder/end"
    LD_LIBRARY_PATH=${2:-} "$program" <"$folder/end" >"$folder/out" 2>"$folder/err" &
    server=$!
    exec 3>"$folder/end"
    url=
    for _ in $(seq 600); do
        url=$(sed -n 's/^listening on //p' "$folder/out")
        [ -z "$url" ] || break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    [ -n "$url" ] || fail "$program did not start listening: $(cat "$folder/err")"
    got=$(curl --silent --show-error --max-time 20 --http2-prior-knowledge "$url/") || fail "curl got no answer from $program"
    [ "$got" = "$version" ] || fail "$program answered \"$got\", expected \"$version\""
    exec 3>&-
    wait "$server" || fail "$program ended with $?, expected 0"
    server=
    rm "$folder/end"
}

# Whether a program needs the shared library, by its SONAME.
expect_shared() { readelf -d "$1" | grep -q "NEEDED.*\[libh2ws.so.$so\]" || fail "$1 does not need libh2ws.so.$so"; }
expect_static() { ! readelf -d "$1" | grep -q "NEEDED.*libh2ws" || fail "$1 needs a shared libh2ws, expected none"; }

make_ install PREFIX="$prefix" DESTDIR="$stage"
lib=$stage$prefix/lib
[ "$(readlink "$lib/libh2ws.so")" = "libh2ws.so.$so" ] || fail "libh2ws.so does not lead to libh2ws.so.$so"
[ "$(readlink "$lib/libh2ws.so.$so")" = "libh2ws.so.$version" ] || fail "libh2ws.so.$so does not lead to libh2ws.so.$version"
readelf -d "$lib/libh2ws.so.$version" | grep -q "SONAME.*\[libh2ws.so.$so\]" || fail "the SONAME is not libh2ws.so.$so"
data=$(size "$lib/libh2ws.so.$version" | awk 'NR == 2 { print $2 }')
[ "$data" -lt 100000 ] || fail "libh2ws.so has $data bytes of data: with link-time optimisation it has 67,000, without 143,000"
for file in lib/libh2ws.a include/h2ws.h include/h2ws.hpp lib/pkgconfig/h2ws.pc lib/cmake/h2ws/h2ws-config.cmake \
    lib/cmake/h2ws/h2ws-config-version.cmake; do
    [ -f "$stage$prefix/$file" ] || fail "$prefix/$file is not installed"
done
if grep -rlE '@[A-Z_]+@' "$stage$prefix/lib/pkgconfig" "$stage$prefix/lib/cmake"; then fail "a placeholder is left in the files above"; fi
if grep -rlF "$stage" "$stage$prefix/lib/pkgconfig" "$stage$prefix/lib/cmake"; then fail "DESTDIR is in the files above"; fi
if make_ install PREFIX=relative DESTDIR="$stage" 2>"$folder/err"; then fail "a relative PREFIX was taken"; fi
grep -q 'PREFIX is "relative"' "$folder/err" || fail "a relative PREFIX is not named: $(cat "$folder/err")"
echo "install: ok"

cp -r tests/packaging/outside "$folder/outside"
cd "$folder/outside"

CMAKE_PREFIX_PATH="$stage$prefix" cmake -S . -B "$folder/cmake" >"$folder/log" 2>&1 || fail "cmake: $(cat "$folder/log")"
cmake --build "$folder/cmake" >"$folder/log" 2>&1 || fail "cmake --build: $(cat "$folder/log")"
for language in c cpp; do
    expect_shared "$folder/cmake/$language-shared"
    expect_static "$folder/cmake/$language-static"
    ask "$folder/cmake/$language-shared"
    ask "$folder/cmake/$language-static"
done
# 0.x: another minor version is another ABI.
sed 's/find_package(h2ws 0.1 /find_package(h2ws 0.0.9 /' CMakeLists.txt >"$folder/CMakeLists.txt"
mkdir "$folder/other"
cp page.c page.cpp "$folder/other"
mv "$folder/CMakeLists.txt" "$folder/other"
if CMAKE_PREFIX_PATH="$stage$prefix" cmake -S "$folder/other" -B "$folder/other/build" >"$folder/log" 2>&1; then
    fail "find_package(h2ws 0.0.9) found $version"
fi
grep -q 'not compatible\|requested version' "$folder/log" || fail "find_package(h2ws 0.0.9) failed otherwise: $(cat "$folder/log")"
echo "CMake: ok"

# The stage stands for the root, as it would after packaging.
pc() { PKG_CONFIG_PATH="$lib/pkgconfig" pkg-config --define-variable=prefix="$stage$prefix" \
    --define-variable=libdir="$lib" --define-variable=includedir="$stage$prefix/include" "$@" h2ws; }
[ "$(pc --modversion)" = "$version" ] || fail "pkg-config --modversion is $(pc --modversion), expected $version"
# shellcheck disable=SC2046
{
    cc -std=c11 -Wall -Wextra -Werror page.c $(pc --cflags --libs) -o c-shared
    cc -std=c11 -Wall -Wextra -Werror page.c $(pc --cflags) $(pc --variable=static_libs) -o c-static
    c++ -std=c++17 -Wall -Wextra -Werror page.cpp $(pc --cflags --libs) -o cpp-shared
    c++ -std=c++17 -Wall -Wextra -Werror page.cpp $(pc --cflags) $(pc --variable=static_libs) -o cpp-static
}
for language in c cpp; do
    expect_shared "./$language-shared"
    expect_static "./$language-static"
    ask "./$language-shared" "$lib"
    ask "./$language-static"
done
echo "pkg-config: ok"
