#!/bin/sh
# Puts built files where an installation has them. `make install` calls it; see install.mk.
#   install.sh RELEASE_FOLDER VERSION SOVERSION DESTDIR PREFIX LIBDIR INCLUDEDIR NATIVE_LIBS
set -eu
if [ $# -ne 8 ]; then
    echo "install.sh: 8 arguments expected, got $#; run it by \`make install\`" >&2
    exit 2
fi
release=$1 version=$2 soversion=$3 destdir=$4 prefix=$5 libdir=$6 includedir=$7 native=$8
here=$(dirname "$0")

case $prefix in
/*) ;;
*)
    echo "install.sh: PREFIX is \"$prefix\"; it must be an absolute path" >&2
    exit 2
    ;;
esac
if [ -z "$version" ] || [ -z "$native" ]; then
    echo "install.sh: no version (\"$version\") or no native libraries (\"$native\")" >&2
    exit 2
fi

lib=$destdir$libdir
include=$destdir$includedir
install -d "$lib/pkgconfig" "$lib/cmake/h2ws" "$include"

install -m 755 "$release/libh2ws.so" "$lib/libh2ws.so.$version"
ln -sf "libh2ws.so.$version" "$lib/libh2ws.so.$soversion"
ln -sf "libh2ws.so.$soversion" "$lib/libh2ws.so"
install -m 644 "$release/libh2ws.a" "$lib/libh2ws.a"
install -m 644 "$here/../include/h2ws.h" "$here/cpp/include/h2ws.hpp" "$include"

# `-lfoo` is what pkg-config wants; CMake takes the same, as a list.
native_list=$(printf '%s' "$native" | tr -s ' ' ';')
fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@SOVERSION@|$soversion|g" -e "s|@PREFIX@|$prefix|g" \
        -e "s|@LIBDIR@|$libdir|g" -e "s|@INCLUDEDIR@|$includedir|g" \
        -e "s|@NATIVE_LIBS@|$native|g" -e "s|@NATIVE_LIST@|$native_list|g" "$1" >"$2"
    chmod 644 "$2"
}
fill "$here/pkgconfig/h2ws.pc.in" "$lib/pkgconfig/h2ws.pc"
fill "$here/cmake/h2ws-config.cmake.in" "$lib/cmake/h2ws/h2ws-config.cmake"
fill "$here/cmake/h2ws-config-version.cmake.in" "$lib/cmake/h2ws/h2ws-config-version.cmake"
echo "installed h2ws $version in $destdir$prefix"
