"""Ports the installed autobahntestsuite 25.10.1 from Python 2.7 to Python 3, in place.

    DIR/bin/python port.py

Run by install.sh with the Python of the environment that holds the suite. Every change names how many files or
places it expects; one that does not find them stops the port, so that no case is left out or weakened unseen.
"""

import compileall
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

HERE = pathlib.Path(__file__).resolve().parent
LIB = pathlib.Path(sysconfig.get_path("purelib"))
SUITE = LIB / "autobahntestsuite"
COMPAT = "from autobahntestsuite import py3compat as binascii"


def edit(path, *changes):
    """Applies (pattern, replacement) pairs to one file; each must match at least once."""
    text = path.read_text(encoding="latin-1")
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if count == 0:
            sys.exit(f"port: nothing matches {pattern!r} in {path}")
    path.write_text(text, encoding="latin-1")


def edit_cases(expected, pattern, replacement):
    """Applies one change to all case files that match, of which there must be so many."""
    files = [f for f in sorted(SUITE.glob("case/*.py"))
             if re.search(pattern, f.read_text(encoding="latin-1"), re.MULTILINE)]
    if len(files) != expected:
        sys.exit(f"port: {expected} case files should match {pattern!r}, these do: {[f.name for f in files]}")
    for f in files:
        edit(f, (pattern, replacement))


def drop_what_is_not_needed():
    """WAMP and the benchmark modes go before the conversion, and case 9.9.1, which the suite has switched off."""
    shutil.rmtree(SUITE / "wampcase")
    for pattern in ("wamp*.py", "wsperf*.py", "serializer.py", "case/case9_9_1.py"):
        for f in SUITE.glob(pattern):
            f.unlink()
    for f in [*SUITE.glob("*.py"), *SUITE.glob("case/*.py")]:
        f.write_bytes(f.read_bytes().replace(b"\r\n", b"\n"))
    edit(SUITE / "case/__init__.py", (r"^from case9_9_1 import.*\n", ""))
    edit(SUITE / "wstest.py", (r"^import serializer\n", ""))


def convert_syntax():
    """lib2to3. Case files with UTF-8 in them are declared latin-1: their literals keep the bytes of Python 2."""
    edit_cases(11, r"\A# coding=utf-8$", "# coding=latin-1")
    files = [str(f) for f in [*SUITE.glob("*.py"), *SUITE.glob("case/*.py")]]
    run = subprocess.run([sys.executable, "-W", "ignore", "-m", "lib2to3", "--no-diffs", "-n", "-w", *files],
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit("port: lib2to3 failed:\n" + run.stderr[-2000:])


def separate_bytes_from_text():
    """py3compat.py explains the scheme."""
    shutil.copy(HERE / "py3compat.py", SUITE / "py3compat.py")
    edit_cases(12, r"^import binascii$", COMPAT)
    edit(SUITE / "case/case12_x_x.py",
         (r"^(import .*), binascii$", r"\1\n" + COMPAT),
         (r"^(def onMessage\(self, msg, binary\):)$", r"\1\n   msg = binascii.octets(msg)"))
    edit(SUITE / "case/case6_x_x.py",
         (r"^from autobahn.websocket.utf8validator import", "from autobahntestsuite.py3compat import"),
         (r"\.tostring\(\)", '.tobytes().decode("latin-1")'))
    edit(SUITE / "fuzzing.py",
         (r"^(import os, json,) binascii, (.*)$", r"\1 \2\n" + COMPAT),
         (r"^class FuzzingProtocol(\(object\))?:",
          "from .py3compat import binLogData, asciiLogData\n\nclass FuzzingProtocol(binascii.OctetBoundary):"),
         (r"runCase\.onPong\(payload\)", "runCase.onPong(binascii.native(payload))"),
         (r"runCase\.onMessage\(msg, binary\)", "runCase.onMessage(binascii.native(msg), binary)"),
         (r"p = ''\.join\(payload\)", "p = b''.join(payload)"),
         (r"json\.dumps\((case|res), ", r"json.dumps(\1, default = binascii.json_default, "),
         (r"open\((os\.path\.join\(outdir, report_filename\)), 'w'\)",
          r"open(\1, 'w', encoding = 'utf-8', errors = 'replace')"),
         (r'\.encode\("utf-8"\)\)$', ")"),
         (r"ll\.encode\('utf8'\)", "ll"),
         (r'case\["(httpRequest|httpResponse)"\]\.strip', r'binascii.native(case["\1"]).strip'))


def mend_semantics():
    """Classes, division, comparison."""
    edit_cases(5, r"\(object, Case, \)", "(Case, )")
    edit(SUITE / "case/case10_1_1.py", (r"len\(self\.payload\) / self", "len(self.payload) // self"))
    edit(SUITE / "case/case.py", (r"pickle\.dumps\(obj1\) == pickle\.dumps\(obj2\)", "obj1 == obj2"))
    # Python 2 decodes UTF-8 with lone surrogates, and case 7.5.1 sends one.
    edit(LIB / "autobahn/websocket/protocol.py",
         (r"reasonRaw\.decode\('utf8'\)", "reasonRaw.decode('utf8', 'surrogatepass')"),
         (r"range\(payload_len / len\(payload\)\)", "range(payload_len // len(payload))"))


drop_what_is_not_needed()
convert_syntax()
separate_bytes_from_text()
mend_semantics()
if not compileall.compile_dir(str(SUITE), quiet=1):
    sys.exit("port: the ported suite does not compile")
