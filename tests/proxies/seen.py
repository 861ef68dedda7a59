"""What becomes of a stream on its way through a proxy: what the client sees at the front at URL, and what the host says that it saw.

    seen.py haproxy|nghttpx [--no-reuse]

--no-reuse    HAProxy without "http-reuse always": only how many connections go to the back
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance/peers"))
import h2.errors  # noqa: E402
import wsproto  # noqa: E402
from python import URL, Client, WebSocket, connect  # noqa: E402

PROXY = sys.argv[1]
HAPROXY = PROXY == "haproxy"
SOCKETS = 50
Codes = h2.errors.ErrorCodes
names = iter(range(1000))


def of(client, path):
    (stream,) = client.get(path)
    assert stream.headers[":status"] == "200", (path, stream.headers)
    return json.loads(bytes(stream.body))


def closed(client, path):
    """How the host says that the socket of this path ended; asked until it has."""
    while True:
        found = [r for r in of(client, "/closed") if r["path"] == path]
        if found:
            assert len(found) == 1, found
            return {k: found[0][k] for k in ("code", "cause", "h2_code", "side")}


def own(path):
    """A path that no other socket has: the host keeps them with their ends."""
    return f"{path}?{next(names)}"


def close_frame(code):
    return wsproto.events.CloseConnection(code=code)


def versions():
    client = Client()
    page = of(client, "/connection")
    socket = WebSocket(client, "/connection")
    told = json.loads(socket.receive())
    assert page["version"] == told["version"] == "2", (page, told)
    assert page["scheme"] == told["scheme"] == "https", "what the client used"
    socket.close(1000, "")


def version_of_http1():
    sock = connect("http/1.1")
    ws = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    sock.sendall(ws.send(wsproto.events.Request(host=URL.netloc, target="/connection")))
    events = []
    while len(events) < 2:
        data = sock.recv(65536)
        assert data, f"the front closed the connection after {events}"
        ws.receive_data(data)
        events += ws.events()
    assert json.loads(events[1].data)["version"] == "2", events
    sock.sendall(ws.send(close_frame(1000)))
    while sock.recv(65536):
        pass
    sock.close()


def connections(clients, each):
    """How many connections to the host carry `each` sockets of so many clients at once."""
    made = [Client() for _ in range(clients)]
    sockets = [WebSocket(client, "/connection") for client in made for _ in range(each)]
    told = [json.loads(socket.receive()) for socket in sockets]
    for i, socket in enumerate(sockets):
        socket.echo(f"socket {i}")
    for socket in sockets:
        socket.close(1000, "")
    return len({about["peer"] for about in told})  # the proxy's ports


def one_connection():
    assert (n := connections(1, SOCKETS)) == 1, f"{n} connections for {SOCKETS} sockets of one client"


def many_clients():
    assert (n := connections(SOCKETS, 1)) == 1, f"{n} connections for {SOCKETS} clients"


def one_each():
    assert (n := connections(SOCKETS, 1)) == SOCKETS, f"{n} connections for {SOCKETS} clients"


def ending(client, socket):
    """How a stream ends at the front: whether with END_STREAM, and with which RST_STREAM."""
    client.until(lambda: socket.stream.over)
    of(client, "/connection")  # what came right behind the end is here too
    return socket.stream.ended, socket.stream.reset


def end_of_the_host():
    client = Client()
    path = own("/echo")
    socket = WebSocket(client, path)
    socket.send(close_frame(4000))
    assert socket.receive().code == 4000
    client.until(lambda: socket.stream.over)
    if HAPROXY:
        client.h2.end_stream(socket.id)
        client.flush()
    assert (end := ending(client, socket)) == (True, None if HAPROXY else Codes.NO_ERROR), end
    told = closed(client, path)
    assert told == {"code": 4000, "cause": "close_frame", "h2_code": 0, "side": "remote"}, told


def reset_of_the_host():
    client = Client()
    path = own("/close/4001")
    socket = WebSocket(client, path)
    assert socket.receive().code == 4001
    # which is not answered, so that the host's close_timeout comes
    assert (end := ending(client, socket)) == (True, Codes.CANCEL if HAPROXY else Codes.NO_ERROR), end
    told = closed(client, path)
    assert told == {"code": 1006, "cause": "timeout", "h2_code": Codes.CANCEL, "side": "local"}, told


def early_reset_of_the_host():
    client = Client()
    path = own("/abort")
    _, stream = client.open("CONNECT", path, False, [(":protocol", "websocket"), ("sec-websocket-version", "13")])
    client.flush()
    client.until(lambda: stream.over)
    assert stream.headers is None, f"the reset overtakes the answer, {stream.headers}"
    assert stream.reset == (Codes.REFUSED_STREAM if HAPROXY else Codes.INTERNAL_ERROR), f"reset with {stream.reset!r}"
    told = closed(client, path)
    assert told == {"code": 1006, "cause": "reset", "h2_code": Codes.CANCEL, "side": "local"}, told


def reset_of_the_client():
    client = Client()
    path = own("/echo")
    socket = WebSocket(client, path)
    socket.echo("before")
    client.h2.reset_stream(socket.id, Codes.CANCEL)
    client.flush()
    told = closed(client, path)
    expected = Codes.CANCEL if HAPROXY else Codes.NO_ERROR
    assert told == {"code": 1006, "cause": "reset", "h2_code": expected, "side": "remote"}, told


def end_of_the_client():
    client = Client()
    path = own("/echo")
    socket = WebSocket(client, path)
    socket.echo("before")
    client.h2.end_stream(socket.id)
    client.flush()
    if HAPROXY:
        told = closed(client, path)
        assert (told["code"], told["cause"], told["side"]) == (1006, "end_stream", "remote"), told
        return
    # What comes later over the same connections has arrived, so this would have.
    later = WebSocket(client, own("/echo"))
    for i in range(20):
        later.echo(f"later {i}")
    assert of(client, "/stats")["open_websockets"] == 2, "the host was told nothing"
    assert not [r for r in of(client, "/closed") if r["path"] == path], "the host was told nothing"
    later.close(1000, "")


def other_protocol():
    client = Client()
    before = of(client, "/stats")["refused_protocol"]
    _, stream = client.open("CONNECT", "/echo", False, [(":protocol", "other"), ("sec-websocket-version", "13")])
    client.flush()
    client.until(lambda: stream.headers is not None or stream.over)
    assert stream.headers[":status"] == ("501" if HAPROXY else "400"), stream.headers
    seen = of(client, "/stats")["refused_protocol"] - before
    assert seen == (1 if HAPROXY else 0), f"the host saw {seen}"


CHECKS = [
    ("the host sees HTTP/2 and https", versions),
    ("the host sees HTTP/2 where the front had HTTP/1.1", version_of_http1),
    (f"{SOCKETS} sockets of one client come by one connection", one_connection),
    (f"{SOCKETS} clients come by one connection", many_clients),
    ("the end of a stream, after the Close", end_of_the_host),
    ("RST_STREAM of the host", reset_of_the_host),
    ("RST_STREAM of the host right behind its answer", early_reset_of_the_host),
    ("RST_STREAM of the client", reset_of_the_client),
    ("END_STREAM of the client without a Close", end_of_the_client),
    ("another :protocol", other_protocol),
]
if "--no-reuse" in sys.argv:
    CHECKS = [
        (f"without http-reuse {SOCKETS} sockets of one client come by one connection", one_connection),
        (f"without http-reuse {SOCKETS} clients come by a connection each", one_each),
    ]

failed = 0
for name, check in CHECKS:
    try:
        check()
        print(f"ok    seen: {name}", flush=True)
    except Exception as error:  # noqa: BLE001  # whatever a library throws is a failed check
        failed += 1
        print(f"FAIL  seen: {name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
sys.exit(1 if failed else 0)
