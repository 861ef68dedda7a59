"""Glue that lets autobahntestsuite (written for Python 2.7) run on Python 3.

The suite's cases use Python 2 byte strings.  After conversion those literals
are Python 3 str objects whose code points are the octets (0..255), that is
"latin-1 strings".  Everything that crosses between the suite and the autobahn
protocol class is translated here: octets() on the way out, native() on the
way in.  port.py copies this file into the installed package.
"""

import binascii as _binascii

from autobahn.websocket.utf8validator import Utf8Validator as _Utf8Validator


def octets(data):
    """bytes for the wire, from a latin-1 string or from bytes."""
    return data.encode("latin-1") if isinstance(data, str) else data


def native(data):
    """latin-1 string as the cases expect it, from bytes."""
    return data if isinstance(data, str) else bytes(data).decode("latin-1")


# --- stand-ins for the names of module binascii that the suite uses ---------

def b2a_hex(data):
    return _binascii.b2a_hex(octets(data)).decode("ascii")


hexlify = b2a_hex


# --- logging helpers (same cut-off rules as the suite's own) -----------------

_ELLIPSIS = " ..."


def binLogData(data, maxlen=64):
    data = octets(data)
    if len(data) > maxlen - len(_ELLIPSIS):
        return b2a_hex(data[:maxlen]) + _ELLIPSIS
    return b2a_hex(data)


def asciiLogData(data, maxlen=64, replace=False):
    data = octets(data)
    shown = data
    if len(data) > maxlen - len(_ELLIPSIS):
        shown = data[:maxlen] + _ELLIPSIS.encode("ascii")
    try:
        return shown.decode("utf8", errors="replace" if replace else "strict")
    except UnicodeDecodeError:
        return "0x" + binLogData(data, maxlen)


def json_default(obj):
    """json.dumps hook: octet strings, as Python 2 would have written them."""
    if isinstance(obj, (bytes, bytearray)):
        return bytes(obj).decode("utf8", errors="replace")
    raise TypeError("not JSON serializable: %r" % (obj,))


class Utf8Validator:
    """The cases validate latin-1 strings; the real validator wants bytes."""

    def __init__(self):
        self._v = _Utf8Validator()

    def reset(self):
        self._v.reset()

    def validate(self, data):
        return self._v.validate(octets(data))


class OctetBoundary:
    """Base of FuzzingProtocol: stands between it and autobahn's protocol."""

    def sendFrame(self, opcode, payload=b"", **kw):
        if kw.get("mask") is not None:
            kw["mask"] = octets(kw["mask"])
        return super().sendFrame(opcode=opcode, payload=octets(payload), **kw)

    def sendMessage(self, payload, *a, **kw):
        return super().sendMessage(octets(payload), *a, **kw)

    def sendMessageFrameData(self, payload, *a, **kw):
        return super().sendMessageFrameData(octets(payload), *a, **kw)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        return super().sendCloseFrame(code=code, reasonUtf8=octets(reasonUtf8),
                                      isReply=isReply)
