#!/usr/bin/env bash
# Installs the Autobahn WebSocket test suite into DIR, a Python virtual environment; DIR/bin/wstest is its command.
#
#   install.sh DIR
#
# The suite was written for Python 2.7. It is installed from PyPI and ported in place by port.py, which needs a
# Python with lib2to3 (3.9 to 3.12). PYTHON names it (default: the first of python3, python3.12 ... that has it).
set -euo pipefail

dir=${1:?usage: install.sh DIR}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fit() { "$1" -W ignore -c 'import ensurepip, lib2to3, venv' 2> /dev/null; }
python=
for candidate in ${PYTHON:-python3 /usr/bin/python3 python3.12 python3.11 python3.10 python3.9}; do
    if fit "$candidate"; then python=$candidate; break; fi
done
[ -n "$python" ] || {
    echo "autobahn: no Python with lib2to3 and venv (3.9 to 3.12) found; install one and name it in PYTHON" >&2
    exit 1
}

"$python" -m venv --clear "$dir"
pip() { "$dir/bin/python" -m pip --disable-pip-version-check -q "$@"; }

# autobahn and txaio are the versions that the suite pins; they still run on Python 3.
pip install 'setuptools==65.5.1' 'wheel==0.43.0'
pip install 'Twisted==23.10.0' 'zope.interface==6.4.post2' 'six==1.16.0' 'pyOpenSSL==24.1.0' \
    'cryptography==42.0.8' 'service_identity==24.1.0' 'wsaccel==0.6.7' 'Jinja2==3.1.4' 'MarkupSafe==2.1.5'
pip install --no-deps --no-build-isolation --no-compile \
    'txaio==2.1.0' 'autobahn==0.10.9' 'autobahntestsuite==25.10.1'

"$dir/bin/python" -W ignore "$here/port.py"
"$dir/bin/wstest" -a
