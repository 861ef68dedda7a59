#!/bin/sh
# Prints the system libraries that a program has to link beside libh2ws.a, as `rustc --print native-static-libs` says
# for this toolchain and target. The crate itself brings none of its own, so an empty static library answers the same
# in a moment where the whole build would take minutes.
set -eu
rustc=${RUSTC:-rustc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! said=$(: | "$rustc" --crate-type staticlib --print native-static-libs -o "$folder/empty.a" - 2>&1); then
    printf 'native-static-libs.sh: %s failed: %s\n' "$rustc" "$said" >&2
    exit 1
fi
libraries=$(printf '%s\n' "$said" | sed -n 's/^note: native-static-libs: //p')
if [ -z "$libraries" ]; then
    printf 'native-static-libs.sh: no "native-static-libs" in what %s said: %s\n' "$rustc" "$said" >&2
    exit 1
fi
# -lc comes with every C link, and named here it would come before what needs it.
printf '%s\n' "$libraries" | sed 's/ *-lc$//; s/ -lc / /'
