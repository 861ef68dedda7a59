"""Python's h2 and wsproto as clients of the test host at URL: requests and WebSockets, neither written here.

    python.py            over HTTP/2, all on one connection
    python.py --deflate  the same with permessage-deflate, for a host that has it on, with context takeover
    python.py --http1    a WebSocket over HTTP/1.1 with Upgrade, for a host or a front that takes it
    --front              URL is a proxy in front of the host, which ends streams in its own way
"""

import os
import socket
import ssl
import sys
import traceback
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import h2.settings
import wsproto
import wsproto.connection
import wsproto.events
from wsproto.extensions import PerMessageDeflate

URL = urlsplit(os.environ["URL"])
DEADLINE_S = 20
FRONT = "--front" in sys.argv


def connect(alpn):
    sock = socket.create_connection((URL.hostname, URL.port), timeout=DEADLINE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if URL.scheme == "https":
        context = ssl.create_default_context(cafile=os.environ["TLS_CERT"])
        context.set_alpn_protocols([alpn])
        sock = context.wrap_socket(sock, server_hostname=URL.hostname)
        assert sock.selected_alpn_protocol() == alpn, f"ALPN came to {sock.selected_alpn_protocol()}"
    return sock


class Stream:
    """What came on one HTTP/2 stream so far."""

    def __init__(self):
        self.headers = self.trailers = self.reset = None
        self.body = bytearray()
        self.taken = 0
        self.ended = False

    @property
    def over(self):
        return self.ended or self.reset is not None


class Client:
    """One HTTP/2 connection; every call reads until what it waits for is there."""

    def __init__(self):
        self.sock = connect("h2")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()
        self.streams = {}
        self.settled = False
        self.until(lambda: self.settled)

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def until(self, done):
        while not done():
            data = self.sock.recv(65536)
            if not data:
                raise AssertionError("the server closed the connection")
            for event in self.h2.receive_data(data):
                self.take(event)
            self.flush()

    def take(self, event):
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self.settled = True
        elif isinstance(event, h2.events.ConnectionTerminated):
            raise AssertionError(f"GOAWAY {event.error_code}")
        stream = self.streams.get(getattr(event, "stream_id", None))
        if stream is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            stream.headers = dict(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = event.error_code

    def open(self, method, path, end, extra=()):
        stream_id = self.h2.get_next_available_stream_id()
        stream = self.streams[stream_id] = Stream()
        self.h2.send_headers(stream_id, [(":method", method), (":scheme", URL.scheme), (":authority", URL.netloc),
                                         (":path", path), *extra], end_stream=end)
        return stream_id, stream

    def send(self, stream_id, data, end=False):
        """Sends under flow control, reading what gives window."""
        view = memoryview(data)
        while len(view) > 0:
            self.until(lambda: self.h2.local_flow_control_window(stream_id) > 0)
            size = min(len(view), self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size)
            self.h2.send_data(stream_id, view[:size])
            view = view[size:]
            self.flush()
        if end:
            self.h2.end_stream(stream_id)
            self.flush()

    def get(self, *paths):
        """The streams of all these requests, sent in one go, once all are answered."""
        streams = [self.open("GET", path, True)[1] for path in paths]
        self.flush()
        self.until(lambda: all(s.over for s in streams))
        return streams


class WebSocket:
    """wsproto's frames on one stream of a Client (RFC 8441), compressed if there is an extension to offer (RFC 7692)."""

    def __init__(self, client, path, extension=None):
        self.client = client
        fields = [(":protocol", "websocket"), ("sec-websocket-version", "13"), ("sec-websocket-protocol", "echo")]
        if extension:
            fields.append(("sec-websocket-extensions", f"{extension.name}; {extension.offer()}"))
        self.id, self.stream = client.open("CONNECT", path, False, fields)
        client.flush()
        client.until(lambda: self.stream.headers is not None or self.stream.over)
        assert self.stream.headers and self.stream.headers[":status"] == "200", f"refused: {self.stream.headers}"
        if extension:
            extension.finalize(self.stream.headers["sec-websocket-extensions"])
        self.ws = wsproto.connection.Connection(wsproto.ConnectionType.CLIENT, [extension] if extension else [])
        self.events = []

    def send(self, event, end=False):
        self.client.send(self.id, self.ws.send(event), end)

    def pump(self):
        fresh = self.stream.body[self.stream.taken:]
        self.stream.taken = len(self.stream.body)
        self.ws.receive_data(bytes(fresh))
        self.events += self.ws.events()

    def receive(self):
        """A whole message, a Pong or a Close."""
        text, data = "", b""
        while True:
            while not self.events:
                self.client.until(lambda: len(self.stream.body) > self.stream.taken or self.stream.over)
                assert len(self.stream.body) > self.stream.taken, f"the stream ended, reset {self.stream.reset}"
                self.pump()
            event = self.events.pop(0)
            if isinstance(event, wsproto.events.TextMessage):
                text += event.data
                if event.message_finished:
                    return text
            elif isinstance(event, wsproto.events.BytesMessage):
                data += event.data
                if event.message_finished:
                    return data
            else:
                return event

    def echo(self, message):
        kind = wsproto.events.TextMessage if isinstance(message, str) else wsproto.events.BytesMessage
        self.send(kind(data=message))
        answer = self.receive()
        assert answer == message, f"{len(message)} sent, came back as {str(answer)[:80]!r}"

    def close(self, code, reason):
        self.send(wsproto.events.CloseConnection(code=code, reason=reason))
        answer = self.receive()
        assert isinstance(answer, wsproto.events.CloseConnection), f"no Close but {answer}"
        assert answer.code == code, f"Close {answer.code} {answer.reason!r}"
        self.client.until(lambda: self.stream.over)
        assert FRONT or self.stream.reset is None, f"reset with {self.stream.reset} instead of END_STREAM"
        if self.stream.reset is None:
            self.client.h2.end_stream(self.id)
        self.client.flush()


def http2_checks():
    client = Client()

    def settings():
        assert client.h2.remote_settings.enable_connect_protocol == 1, "SETTINGS_ENABLE_CONNECT_PROTOCOL is not 1"

    def get():
        (stream,) = client.get("/hello")
        assert stream.headers[":status"] == "200" and bytes(stream.body) == b"hello, world", (stream.headers, stream.body)

    def large():
        (stream,) = client.get("/bytes/1000000")
        assert len(stream.body) == 1_000_000, len(stream.body)

    def body_and_trailers():
        stream_id, stream = client.open("POST", "/echo-body", False)
        sent = bytes(range(256)) * 800
        client.send(stream_id, sent)
        client.h2.send_headers(stream_id, [("x-sum", "7")], end_stream=True)
        client.flush()
        client.until(lambda: stream.over)
        assert bytes(stream.body) == sent, f"{len(stream.body)} bytes came back of {len(sent)}"
        assert stream.trailers == {"x-sum": "7"}, stream.trailers

    def hundred():
        streams = client.get(*["/slow/50"] * 100)
        assert all(s.headers[":status"] == "200" for s in streams), [s.headers for s in streams]

    def messages():
        ws = WebSocket(client, "/echo")
        assert ws.stream.headers.get("sec-websocket-protocol") == "echo", ws.stream.headers
        for message in ("grüße, 世界", bytes(range(256)), "", "x" * 300_000):
            ws.echo(message)
        ws.send(wsproto.events.Ping(payload=b"there?"))
        pong = ws.receive()
        assert isinstance(pong, wsproto.events.Pong) and bytes(pong.payload) == b"there?", pong
        ws.close(4000, "enough")

    def fragments():
        ws = WebSocket(client, "/echo")
        ws.send(wsproto.events.TextMessage(data="one ", message_finished=False))
        ws.send(wsproto.events.Ping(payload=b"between"))
        ws.send(wsproto.events.TextMessage(data="message"))
        got = [ws.receive(), ws.receive()]
        assert isinstance(got[0], wsproto.events.Pong) and got[1] == "one message", got
        ws.close(1000, "")

    def hundred_sockets():
        sockets = [WebSocket(client, "/echo") for _ in range(100)]
        for i, ws in enumerate(sockets):
            ws.send(wsproto.events.TextMessage(data=f"socket {i}"))
        for i, ws in enumerate(sockets):
            assert ws.receive() == f"socket {i}"
        for ws in sockets:
            ws.close(1000, "bye")

    def server_closes():
        ws = WebSocket(client, "/close/4001")
        event = ws.receive()
        assert isinstance(event, wsproto.events.CloseConnection) and (event.code, event.reason) == (4001, "bye"), event
        ws.send(event.response(), end=True)
        client.until(lambda: ws.stream.over)
        assert FRONT or ws.stream.ended, f"reset with {ws.stream.reset} instead of END_STREAM"

    return "python h2", [
        ("Extended CONNECT is offered", settings), ("GET", get), ("1,000,000 bytes down", large),
        ("200 KiB up and down with trailers", body_and_trailers), ("100 streams at once", hundred),
        ("text, binary, empty and 300,000 bytes, Ping, Close", messages), ("fragments with a Ping between", fragments),
        ("100 sockets at once", hundred_sockets), ("the server closes with code and reason", server_closes)]


def deflate_checks():
    client = Client()
    words = "the quick brown fox jumps over the lazy dog".split()
    texts = ["[" + ",".join(f'{{"id":{i},"word":"{words[i * k % 9]}"}}' for i in range(n)) + "]"
             for k, n in ((1, 1), (2, 20), (3, 500), (4, 20000))]

    def exchange(ws, answer):
        given = ws.stream.headers["sec-websocket-extensions"]
        assert given == answer, given
        sizes = []
        for text in texts + texts[::-1]:
            before = len(ws.stream.body)
            ws.echo(text)
            sizes.append(len(ws.stream.body) - before)
            if len(text) >= 256:
                assert ws.stream.body[before] == 0xC1, f"a compressed text, not {ws.stream.body[before]:#x}"
                assert sizes[-1] < len(text) / 2, f"{sizes[-1]} bytes for {len(text)}"
        for data in (b"", bytes(range(256)), bytes(200_000), b""):
            ws.echo(data)
        ws.send(wsproto.events.Ping(payload=b"there?"))
        assert isinstance(ws.receive(), wsproto.events.Pong)
        ws.close(1000, "")
        return sizes

    def takeover():
        sizes = exchange(WebSocket(client, "/echo", PerMessageDeflate()), "permessage-deflate; server_max_window_bits=15")
        assert sizes[6] < sizes[1], f"the same text again is smaller: {sizes}"

    def no_takeover():
        extension = PerMessageDeflate(client_no_context_takeover=True, server_no_context_takeover=True)
        sizes = exchange(WebSocket(client, "/echo", extension), "permessage-deflate; server_no_context_takeover; "
                         "client_no_context_takeover; server_max_window_bits=15")
        assert sizes[6] == sizes[1], f"the same text again is as large: {sizes}"

    def windows():
        for server in (9, 10, 14):
            for mine in (9, 12, 15):
                extension = PerMessageDeflate(client_max_window_bits=mine, server_max_window_bits=server)
                answer = f"permessage-deflate; server_max_window_bits={server}"
                if mine < 15:
                    answer += f"; client_max_window_bits={mine}"
                exchange(WebSocket(client, "/echo", extension), answer)

    def fragments():
        ws = WebSocket(client, "/echo", PerMessageDeflate())
        for i in range(20):
            ws.send(wsproto.events.TextMessage(data=texts[2][i::20], message_finished=i == 19))
            ws.send(wsproto.events.Ping(payload=b"between"))
        whole, got = "".join(texts[2][i::20] for i in range(20)), None
        for _ in range(21):
            event = ws.receive()
            got = event if isinstance(event, str) else got
        assert got == whole, f"{got!r:.80}"
        ws.close(1000, "")

    def beside():
        compressed = [WebSocket(client, "/echo", PerMessageDeflate()) for _ in range(20)]
        plain = [WebSocket(client, "/echo") for _ in range(20)]
        for text in texts[:3]:
            for ws in compressed + plain:
                ws.echo(text)
        for ws in compressed + plain:
            ws.close(1000, "bye")

    def flood():
        ws = WebSocket(client, "/flood/100/20000", PerMessageDeflate())
        for i in range(100):
            assert ws.receive() == bytes(20_000), f"message {i}"
        assert len(ws.stream.body) < 50_000, f"{len(ws.stream.body)} bytes for 2 MB of zeros"
        assert isinstance(ws.receive(), wsproto.events.CloseConnection)
        ws.send(wsproto.events.CloseConnection(code=1000), end=True)

    return "python wsproto with permessage-deflate", [
        ("context takeover", takeover), ("no context takeover", no_takeover), ("windows of all sizes", windows),
        ("compressed fragments with Pings between", fragments), ("20 sockets with and 20 without", beside),
        ("the host's messages, compressed", flood)]


def http1_checks():
    def upgrade():
        sock = connect("http/1.1")
        ws = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        sock.sendall(ws.send(wsproto.events.Request(host=URL.netloc, target="/echo", subprotocols=["echo"])))
        events = []

        def receive():
            while not events:
                data = sock.recv(65536)
                ws.receive_data(data or None)
                events.extend(ws.events())
            return events.pop(0)

        opened = receive()
        assert isinstance(opened, wsproto.events.AcceptConnection) and opened.subprotocol == "echo", opened
        for message in ("first", "second"):
            sock.sendall(ws.send(wsproto.events.TextMessage(data=message)))
            assert receive().data == message
        sock.sendall(ws.send(wsproto.events.CloseConnection(code=4000, reason="enough")))
        closed = receive()
        assert isinstance(closed, wsproto.events.CloseConnection) and closed.code == 4000, closed
        assert sock.recv(1) == b"", "the server ends the TCP connection after the Close"
        sock.close()

    return "python wsproto over HTTP/1.1", [("Upgrade, subprotocol, messages, Close", upgrade)]


def main():
    modes = {"--http1": http1_checks, "--deflate": deflate_checks}
    peer, checks = next((modes[mode] for mode in sys.argv[1:] if mode in modes), http2_checks)()
    failed = 0
    for name, check in checks:
        try:
            check()
            print(f"ok    {peer}: {name}", flush=True)
        except Exception as error:  # noqa: BLE001  # whatever a peer's library throws is a failed check
            failed += 1
            print(f"FAIL  {peer}: {name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            traceback.print_exc(limit=-3)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
