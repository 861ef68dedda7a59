#!/usr/bin/env bash
# Installs what a step of `make test` needs, on a Debian machine, by ordinary package clients; skips what is there.
#
#   setup.sh NAME...
#
#   rust           looks for Rust 1.88 or later with rustfmt and clippy; it does not install it
#   c              cc, c++, clang, cmake, pkg-config, curl                                       (apt)
#   valgrind nghttp2 nghttpx haproxy node python go openssl chromium firefox                     (apt)
#   java           JDK 17 or later, Maven                                                        (apt)
#   h2spec         HTTP/2 conformance suite, built from its pinned version                       (go install)
#   autobahn       WebSocket conformance suite, in a Python environment of its own               (pip)
#   python-peers   Python's h2 and wsproto, in another                                           (pip)
#
# What is not a system package goes to H2WS_CACHE (default ~/.cache/h2ws), outside of the clone, and is made anew
# when the files that describe it have changed. It says what it installs before it does.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${H2WS_CACHE:-$HOME/.cache/h2ws}
mkdir -p "$cache"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }

apt_updated=
apt_install() { # apt_install WHY PACKAGE...
    local why=$1 root=()
    shift
    have apt-get || fail "$why is missing, and this is no Debian machine; please install: $*"
    if [ "$(id -u)" != 0 ]; then
        have sudo || fail "$why is missing; run as root: apt-get install $*"
        root=(sudo)
    fi
    if [ -z "$apt_updated" ]; then
        say "apt-get update"
        "${root[@]}" apt-get -q update > "$cache/apt.log" 2>&1 || { tail -n 20 "$cache/apt.log" >&2; fail "apt-get update failed"; }
        apt_updated=1
    fi
    say "apt-get install $* ($why)"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@" >> "$cache/apt.log" 2>&1 ||
        { tail -n 20 "$cache/apt.log" >&2; fail "apt-get install $* failed"; }
}

# made NAME WHAT DESCRIPTION... -- COMMAND...: runs COMMAND unless $cache/NAME was made from the same DESCRIPTION files.
made() {
    local name=$1 what=$2 files=() stamp
    shift 2
    while [ "$1" != -- ]; do files+=("$1"); shift; done
    shift
    stamp=$(cat "${files[@]}" | sha256sum | cut -d' ' -f1)
    exec 9> "$cache/$name.lock"
    flock 9
    if [ "$(cat "$cache/$name.made" 2> /dev/null || true)" != "$stamp" ]; then
        say "$what, into $cache/$name"
        rm -rf "${cache:?}/$name" "$cache/$name.made"
        "$@" > "$cache/$name.log" 2>&1 || { tail -n 30 "$cache/$name.log" >&2; fail "$what failed; its log is $cache/$name.log"; }
        echo "$stamp" > "$cache/$name.made"
    fi
    exec 9>&-
}

at_least() { # at_least VERSION WANTED
    [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

setup_rust() {
    have cargo || fail "Rust is missing; get it from https://rustup.rs, 1.88 or later"
    local version
    version=$(cd "$top" && rustc --version | cut -d' ' -f2)
    at_least "$version" 1.88.0 || fail "Rust $version is too old, 1.88 or later is needed: rustup update stable"
    (cd "$top" && cargo fmt --version && cargo clippy --version) > /dev/null 2>&1 ||
        fail "rustfmt or clippy is missing: rustup component add rustfmt clippy"
}
setup_c() {
    have cc && have c++ || apt_install "a C and a C++ compiler" build-essential
    have clang || apt_install "clang, for the sanitizers" clang libclang-rt-dev
    have cmake || apt_install "CMake, for the package's tests" cmake
    have pkg-config || apt_install "pkg-config, for the package's tests" pkg-config
    have curl || apt_install "curl, for the package's tests" curl
}
setup_valgrind() { have valgrind || apt_install valgrind valgrind; }
setup_nghttp2() { have nghttp && have h2load || apt_install "nghttp and h2load, HTTP/2 peers" nghttp2-client; }
setup_haproxy() { have haproxy || apt_install "HAProxy, an HTTP/2 peer" haproxy; }
setup_nghttpx() { have nghttpx || apt_install "nghttpx, an HTTP/2 proxy" nghttp2-proxy; }
setup_openssl() { have openssl || apt_install "openssl, to make certificates for tests" openssl; }
# Fonts, or pages have no letters; the packages only recommend them.
setup_chromium() { have chromium || apt_install "Chromium, to be driven by tests (about 300 MB)" chromium fonts-dejavu-core; }
setup_firefox() { have firefox-esr || apt_install "Firefox, to be driven by tests (about 300 MB)" firefox-esr fonts-dejavu-core; }
setup_node() {
    have node || apt_install "Node.js, an HTTP/2 peer" nodejs
    # Its http2 has Extended CONNECT since long before, its sockets can be reset since 18.3.
    at_least "$(node --version | tr -d v)" 18.3.0 || fail "Node.js $(node --version) is too old, 18.3 or later is needed"
}
setup_python() {
    have python3 && python3 -W ignore -c 'import ensurepip, venv' 2> /dev/null || apt_install Python python3 python3-venv
}
setup_java() {
    have javac && have mvn || apt_install "a JDK and Maven" openjdk-17-jdk-headless maven
    local version
    version=$(javac -version 2>&1 | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    [ "$version" -ge 17 ] || fail "JDK $version is too old, 17 or later is needed"
}
setup_go() { have go || apt_install "Go, to build h2spec" golang-go; }

setup_h2spec() {
    setup_go
    local from=$top/tests/conformance/h2spec
    made h2spec "go install h2spec (2 MB of modules)" "$from/go.mod" "$from/go.sum" -- \
        env -C "$from" GOBIN="$cache/h2spec/bin" GOFLAGS=-mod=readonly go install github.com/summerwind/h2spec/cmd/h2spec
}
setup_autobahn() {
    setup_python
    local from=$top/tests/conformance/autobahn
    have python3.12 || python3 -W ignore -c 'import lib2to3' 2> /dev/null || apt_install "lib2to3, to port the suite" python3-lib2to3
    made autobahn "pip install the Autobahn suite and port it to Python 3 (about a minute)" \
        "$from/install.sh" "$from/port.py" "$from/py3compat.py" -- "$from/install.sh" "$cache/autobahn"
}
setup_python_peers() {
    setup_python
    local from=$top/tests/conformance/peers
    made python-peers "pip install h2 and wsproto" "$from/requirements.txt" -- \
        sh -c 'python3 -m venv "$1" && "$1/bin/pip" --disable-pip-version-check install -r "$2"' - \
        "$cache/python-peers" "$from/requirements.txt"
}

[ $# -gt 0 ] || { sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2; }
for name in "$@"; do
    case $name in
    rust | c | valgrind | nghttp2 | nghttpx | haproxy | node | python | go | java | openssl | chromium | firefox | h2spec | autobahn) "setup_$name" ;;
    python-peers) setup_python_peers ;;
    *) fail "no such name: $name" ;;
    esac
done
