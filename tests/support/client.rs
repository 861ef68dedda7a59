//! A blocking HTTP/2 client that sends what a test tells it, right or wrong, and keeps what it gets.

use super::FAILURE;
use super::frame::*;
use super::hpack::{self, Decoder, Field};
use super::rules::Rules;
use rustls::{ClientConnection, StreamOwned};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A TCP or UNIX stream socket, or TLS on one.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    /// Connects to `127.0.0.1:80` or `unix:/path`.
    pub fn connect(address: &str) -> Self {
        let socket = match address.strip_prefix("unix:") {
            Some(path) => Self::Unix(UnixStream::connect(path).expect("connect")),
            None => Self::Tcp(TcpStream::connect(address).expect("connect")),
        };
        if let Self::Tcp(tcp) = &socket {
            tcp.set_nodelay(true).expect("nodelay");
        }
        socket.with_timeouts()
    }

    fn with_timeouts(self) -> Self {
        match &self {
            Self::Tcp(tcp) => {
                tcp.set_read_timeout(Some(FAILURE)).expect("timeout");
                tcp.set_write_timeout(Some(FAILURE)).expect("timeout");
            }
            Self::Unix(unix) => {
                unix.set_read_timeout(Some(FAILURE)).expect("timeout");
                unix.set_write_timeout(Some(FAILURE)).expect("timeout");
            }
            Self::Tls(_) => {}
        }
        self
    }

    fn try_clone(&self) -> Self {
        match self {
            Self::Tcp(tcp) => Self::Tcp(tcp.try_clone().expect("dup")),
            Self::Unix(unix) => Self::Unix(unix.try_clone().expect("dup")),
            Self::Tls(_) => panic!("one thread writes and reads TLS"),
        }
    }

    fn set_nonblocking(&self, on: bool) {
        match self {
            Self::Tcp(tcp) => tcp.set_nonblocking(on),
            Self::Unix(unix) => unix.set_nonblocking(on),
            Self::Tls(tls) => tls.sock.set_nonblocking(on),
        }
        .expect("nonblocking");
    }

    fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.shutdown(how),
            Self::Unix(unix) => unix.shutdown(how),
            Self::Tls(tls) => {
                tls.conn.send_close_notify();
                tls.flush()?;
                tls.sock.shutdown(how)
            }
        }
    }
}

impl From<TcpStream> for Socket {
    fn from(tcp: TcpStream) -> Self {
        Self::Tcp(tcp).with_timeouts()
    }
}

impl From<UnixStream> for Socket {
    fn from(unix: UnixStream) -> Self {
        Self::Unix(unix).with_timeouts()
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(buffer),
            Self::Unix(unix) => unix.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.write(data),
            Self::Unix(unix) => unix.write(data),
            Self::Tls(tls) => tls.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server sent FIN.
    Fin,
    /// The server sent RST, or the socket was closed with bytes unread.
    Reset,
}

/// How a client begins.
#[derive(Clone, Debug)]
pub struct Hello {
    /// Its SETTINGS.
    pub settings: Vec<(u16, u32)>,
    /// By how much it raises the connection window over 65,535.
    pub connection_credit: u32,
    /// Whether the server's SETTINGS is acknowledged.
    pub acknowledge: bool,
}

impl Default for Hello {
    /// Windows so wide that the tests which are not about them never meet their end.
    fn default() -> Self {
        Self { settings: vec![(INITIAL_WINDOW_SIZE, 1 << 30)], connection_credit: 1 << 30, acknowledge: true }
    }
}

/// The client. Frames of the server are kept until a test takes them; SETTINGS and PING are answered,
/// WINDOW_UPDATEs added up. Each frame is checked as it comes (see [`super::rules`]), whatever the test is about.
#[derive(Debug)]
pub struct Client {
    socket: Socket,
    buffer: Vec<u8>,
    decoder: Decoder,
    /// Frames that came and were not yet taken.
    frames: VecDeque<Frame>,
    end: Option<End>,
    next_stream: u32,
    acknowledge: bool,
    rules: Rules,
    settings: HashMap<u16, u32>,
    settings_acks: usize,
    /// What the server granted by WINDOW_UPDATE, for each stream; 0 is the connection.
    credit: HashMap<u32, u64>,
    /// DATA sent, padding included, for each stream; 0 is the connection.
    sent: HashMap<u32, u64>,
    /// WebSocket bytes that came, not yet parsed.
    websocket: HashMap<u32, Vec<u8>>,
    pings: u64,
    hold_pings: bool,
    held_pings: Vec<Vec<u8>>,
}

impl Client {
    /// A connected client whose SETTINGS and the server's are exchanged and acknowledged.
    pub fn connect(address: &str) -> Self {
        Self::connect_with(address, &Hello::default())
    }

    pub fn connect_with(address: &str, hello: &Hello) -> Self {
        let mut client = Self::raw(Socket::connect(address));
        client.hello(hello);
        client
    }

    /// A client on a socket on which nothing has been said.
    pub fn raw(socket: impl Into<Socket>) -> Self {
        Self {
            socket: socket.into(),
            buffer: Vec::new(),
            decoder: Decoder::default(),
            frames: VecDeque::new(),
            end: None,
            next_stream: 1,
            acknowledge: true,
            rules: Rules::default(),
            settings: HashMap::new(),
            settings_acks: 0,
            credit: HashMap::new(),
            sent: HashMap::new(),
            websocket: HashMap::new(),
            pings: 0,
            hold_pings: false,
            held_pings: Vec::new(),
        }
    }

    /// Preface and SETTINGS, both ways.
    pub fn hello(&mut self, hello: &Hello) {
        self.send_bytes(&Self::hello_bytes(hello));
        self.finish_hello(hello);
    }

    /// What a client says first.
    pub fn hello_bytes(hello: &Hello) -> Vec<u8> {
        let mut bytes = PREFACE.to_vec();
        bytes.extend(Frame::settings(&hello.settings).encode());
        if hello.connection_credit > 0 {
            bytes.extend(Frame::window_update(0, hello.connection_credit).encode());
        }
        bytes
    }

    /// Waits for the server's SETTINGS and for its acknowledgement of ours.
    pub fn finish_hello(&mut self, hello: &Hello) {
        self.acknowledge = hello.acknowledge;
        self.rules.settings_sent(&hello.settings);
        self.rules.window_update_sent(0, hello.connection_credit);
        while self.settings_acks == 0 || self.settings.is_empty() {
            self.read_more("the server's SETTINGS and its acknowledgement of ours");
        }
    }

    // --- out

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("the server takes what the client sends");
    }

    pub fn send(&mut self, frame: &Frame) {
        self.count_sent(frame);
        self.send_bytes(&frame.encode());
    }

    /// All frames in one write.
    pub fn send_all(&mut self, frames: &[Frame]) {
        let mut bytes = Vec::new();
        for frame in frames {
            self.count_sent(frame);
            bytes.extend(frame.encode());
        }
        self.send_bytes(&bytes);
    }

    fn count_sent(&mut self, frame: &Frame) {
        match frame.kind {
            DATA => {
                for stream in [0, frame.stream] {
                    *self.sent.entry(stream).or_default() += frame.payload.len() as u64;
                }
            }
            HEADERS => self.rules.opened(frame.stream),
            SETTINGS if frame.flags & ACK == 0 => self.rules.settings_sent(&frame.settings_values()),
            WINDOW_UPDATE if frame.payload.len() == 4 => {
                self.rules.window_update_sent(frame.stream, frame.increment() & MAX_WINDOW);
            }
            _ => {}
        }
    }

    pub fn data(&mut self, stream: u32, payload: &[u8]) {
        self.send(&Frame::data(stream, payload));
    }

    /// DATA with END_STREAM.
    pub fn data_end(&mut self, stream: u32, payload: &[u8]) {
        self.send(&Frame::data_end(stream, payload));
    }

    pub fn rst(&mut self, stream: u32, code: u32) {
        self.send(&Frame::rst(stream, code));
    }

    pub fn window_update(&mut self, stream: u32, increment: u32) {
        self.send(&Frame::window_update(stream, increment));
    }

    /// A new stream's id, not yet used.
    pub fn next_stream(&mut self) -> u32 {
        self.next_stream += 2;
        self.next_stream - 2
    }

    /// HEADERS on a new stream.
    pub fn open<N: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, fields: &[(N, V)], end: bool) -> u32 {
        let stream = self.next_stream();
        self.send(&headers(stream, fields, end));
        stream
    }

    /// A request without a body.
    pub fn get(&mut self, path: &str) -> u32 {
        self.open(&request_fields("GET", path), true)
    }

    /// A request whose body follows.
    pub fn post(&mut self, path: &str) -> u32 {
        self.open(&request_fields("POST", path), false)
    }

    /// An Extended CONNECT, answered with 200 (RFC 8441 §5). Panics on any other answer.
    pub fn connect_websocket(&mut self, path: &str) -> u32 {
        let stream = self.open(&connect_fields(path), false);
        let head = self.next_on(stream);
        assert_eq!((head.kind, head.status()), (HEADERS, "200"), "expected the handshake to be accepted: {head:?}");
        assert!(!head.ends_stream(), "an accepted handshake leaves the stream open: {head:?}");
        stream
    }

    /// DATA of any length: cut into frames of 16 KiB, and waiting for the server's windows.
    pub fn data_within_windows(&mut self, stream: u32, mut payload: &[u8]) {
        while !payload.is_empty() {
            let room = self.window(0).min(self.window(stream)).min(16_384);
            if room <= 0 {
                self.read_more("a WINDOW_UPDATE");
                continue;
            }
            let (now, rest) = payload.split_at(payload.len().min(room as usize));
            self.data(stream, now);
            payload = rest;
        }
    }

    /// What the server lets the client send now, on a stream or (0) the connection.
    pub fn window(&self, stream: u32) -> i64 {
        let first = if stream == 0 { 65_535 } else { i64::from(self.setting(INITIAL_WINDOW_SIZE).unwrap_or(65_535)) };
        first + self.credit(stream) as i64 - self.sent.get(&stream).copied().unwrap_or(0) as i64
    }

    /// Sends `bytes` and FIN from another thread, however much the server takes of them, and meanwhile keeps what
    /// the server says until it ends the connection.
    pub fn flood(&mut self, bytes: Vec<u8>) -> End {
        let mut out = self.socket.try_clone();
        std::thread::scope(|scope| {
            // A server that has had enough closes: then the rest cannot be sent, which is no failure.
            scope.spawn(move || out.write_all(&bytes).is_ok() && out.shutdown(Shutdown::Write).is_ok());
            self.wait_end()
        })
    }

    /// FIN: nothing more comes from this side.
    pub fn half_close(&mut self) {
        self.socket.shutdown(Shutdown::Write).expect("shutdown");
    }

    /// RST instead of FIN.
    pub fn reset(self) {
        match &self.socket {
            Socket::Tcp(tcp) => socket2::SockRef::from(tcp).set_linger(Some(Duration::ZERO)).expect("linger"),
            Socket::Tls(tls) => socket2::SockRef::from(&tls.sock).set_linger(Some(Duration::ZERO)).expect("linger"),
            Socket::Unix(_) => panic!("UNIX sockets have no RST"),
        }
    }

    pub fn local_address(&self) -> String {
        match &self.socket {
            Socket::Tcp(tcp) => tcp.local_addr().expect("address").to_string(),
            Socket::Tls(tls) => tls.sock.local_addr().expect("address").to_string(),
            Socket::Unix(_) => "unix".to_owned(),
        }
    }

    /// The least that the kernel lets a receive buffer be: what the server can send unread stays small.
    pub fn shrink_receive_buffer(&self) {
        match &self.socket {
            Socket::Tcp(tcp) => socket2::SockRef::from(tcp).set_recv_buffer_size(4096),
            Socket::Unix(unix) => socket2::SockRef::from(unix).set_recv_buffer_size(4096),
            Socket::Tls(tls) => socket2::SockRef::from(&tls.sock).set_recv_buffer_size(4096),
        }
        .expect("SO_RCVBUF");
    }

    // --- in

    /// One read, and what it brought. Panics when the connection ended or nothing came.
    fn read_more(&mut self, expected: &str) {
        if let Some(end) = self.try_read_more(expected) {
            panic!("expected {expected}, but the connection ended ({end:?}); not taken: {:?}", self.frames);
        }
    }

    fn try_read_more(&mut self, expected: &str) -> Option<End> {
        if self.end.is_some() {
            return self.end;
        }
        let mut chunk = [0; 65_536];
        match self.socket.read(&mut chunk) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("expected {expected}, but nothing came in time; not taken: {:?}", self.frames);
            }
            read => self.took(read, &chunk),
        }
    }

    /// What a read brought.
    fn took(&mut self, read: io::Result<usize>, chunk: &[u8]) -> Option<End> {
        match read {
            Ok(0) => {
                self.end = Some(End::Fin);
                assert!(self.buffer.is_empty(), "the server cut a frame short: {:?}", self.buffer);
            }
            Ok(n) => {
                self.buffer.extend_from_slice(&chunk[..n]);
                while let Some(frame) = self.take_frame() {
                    self.sort(frame);
                }
            }
            Err(_) => self.end = Some(End::Reset),
        }
        self.end
    }

    fn take_frame(&mut self) -> Option<Frame> {
        let length =
            u32::from_be_bytes([0, *self.buffer.first()?, *self.buffer.get(1)?, *self.buffer.get(2)?]) as usize;
        if self.buffer.len() < 9 + length {
            return None;
        }
        assert!(length <= self.rules.max_frame(), "a frame of {length} bytes is over SETTINGS_MAX_FRAME_SIZE");
        let bytes: Vec<u8> = self.buffer.drain(..9 + length).collect();
        let stream = u32::from_be_bytes([bytes[5], bytes[6], bytes[7], bytes[8]]);
        Some(Frame::new(bytes[3], bytes[4], stream, &bytes[9..]))
    }

    fn sort(&mut self, mut frame: Frame) {
        self.rules.check(&frame);
        match frame.kind {
            SETTINGS if frame.flags & ACK != 0 => self.settings_acks += 1,
            SETTINGS => {
                self.settings.extend(frame.settings_values());
                if self.acknowledge {
                    self.answer(&Frame::new(SETTINGS, ACK, 0, []));
                }
            }
            PING if frame.flags & ACK == 0 && self.hold_pings => self.held_pings.push(frame.payload),
            PING if frame.flags & ACK == 0 => self.answer(&Frame::new(PING, ACK, 0, frame.payload)),
            WINDOW_UPDATE => *self.credit.entry(frame.stream).or_default() += u64::from(frame.increment()),
            HEADERS if frame.flags & END_HEADERS != 0 => {
                frame.fields = self.decoder.decode(&frame.payload);
                self.frames.push_back(frame);
            }
            CONTINUATION => {
                let mut head = self.frames.pop_back().expect("CONTINUATION follows HEADERS");
                assert_eq!((head.kind, head.stream), (HEADERS, frame.stream), "CONTINUATION follows its HEADERS");
                head.payload.extend(&frame.payload);
                if frame.flags & END_HEADERS != 0 {
                    head.flags |= END_HEADERS;
                    head.fields = self.decoder.decode(&head.payload);
                }
                self.frames.push_back(head);
            }
            _ => self.frames.push_back(frame),
        }
    }

    /// An answer that a server which has closed meanwhile need not take.
    fn answer(&mut self, frame: &Frame) {
        let _closed_meanwhile = self.socket.write_all(&frame.encode());
    }

    /// Leaves the server's PINGs unanswered for now.
    pub fn hold_pings(&mut self) {
        self.hold_pings = true;
    }

    /// Answers the PINGs that were held, and those to come.
    pub fn answer_pings(&mut self) {
        self.hold_pings = false;
        for payload in std::mem::take(&mut self.held_pings) {
            self.answer(&Frame::new(PING, ACK, 0, payload));
        }
    }

    /// The first frame that fits, now or when it comes. Panics if the connection ends first.
    pub fn take(&mut self, expected: &str, fits: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            if let Some(at) = self.frames.iter().position(&fits) {
                return self.frames.remove(at).expect("just found");
            }
            self.read_more(expected);
        }
    }

    /// Takes the first frame that fits, or says how the connection ended.
    pub fn take_or_end(&mut self, expected: &str, fits: impl Fn(&Frame) -> bool) -> Option<End> {
        loop {
            if let Some(at) = self.frames.iter().position(&fits) {
                self.frames.remove(at);
                return None;
            }
            if let Some(end) = self.try_read_more(expected) {
                return Some(end);
            }
        }
    }

    /// The next frame on a stream, WINDOW_UPDATE left out.
    pub fn next_on(&mut self, stream: u32) -> Frame {
        self.take(&format!("a frame on stream {stream}"), |frame| frame.stream == stream && frame.kind != GOAWAY)
    }

    /// Asserts the next frame on its stream.
    pub fn expect(&mut self, frame: &Frame) {
        let got = self.next_on(frame.stream);
        assert_eq!(&got, frame, "the next frame on stream {}", frame.stream);
    }

    pub fn goaway(&mut self) -> Frame {
        self.take("GOAWAY", |frame| frame.kind == GOAWAY)
    }

    /// A response whole: head, body, trailers.
    pub fn response(&mut self, stream: u32) -> Response {
        let head = self.next_on(stream);
        assert_eq!(head.kind, HEADERS, "a response begins with HEADERS: {head:?}");
        let mut response = Response { ended: head.ends_stream(), head, body: Vec::new(), trailers: None };
        while !response.ended {
            let frame = self.next_on(stream);
            response.ended = frame.ends_stream();
            match frame.kind {
                DATA => response.body.extend(frame.payload),
                HEADERS if response.head.status().starts_with('1') => panic!("take 1xx by next_on: {frame:?}"),
                HEADERS => response.trailers = Some(frame.fields),
                _ => panic!("expected the rest of a response, got {frame:?}"),
            }
        }
        response
    }

    /// The next WebSocket frame on a stream. Panics if the stream ends first.
    pub fn ws_frame(&mut self, stream: u32) -> WsFrame {
        loop {
            let buffer = self.websocket.entry(stream).or_default();
            if let Some(frame) = take_ws_frame(buffer) {
                return frame;
            }
            let frame = self.next_on(stream);
            assert_eq!(frame.kind, DATA, "expected DATA with a WebSocket frame, got {frame:?}");
            assert!(!frame.payload.is_empty() || !frame.ends_stream(), "the stream ended before a WebSocket frame");
            self.websocket.entry(stream).or_default().extend(frame.payload);
        }
    }

    /// The next message, put together from its frames: opcode and payload.
    pub fn ws_message(&mut self, stream: u32) -> (u8, Vec<u8>) {
        let mut frame = self.ws_frame(stream);
        let opcode = frame.opcode;
        let mut payload = frame.payload;
        while !frame.fin {
            frame = self.ws_frame(stream);
            assert_eq!(frame.opcode, CONTINUE, "a message goes on with continuation frames");
            payload.extend(frame.payload);
        }
        (opcode, payload)
    }

    /// Sends a text and takes its echo: this connection and this socket are alive.
    pub fn echo(&mut self, stream: u32, text: &str) {
        self.data(stream, &ws_text(text));
        assert_eq!(self.ws_message(stream), (TEXT, text.as_bytes().to_vec()), "the echo on stream {stream}");
    }

    /// All that a stream carries until it ends: the bytes of its DATA frames, and its last frame.
    pub fn rest_of(&mut self, stream: u32) -> (Vec<u8>, Frame) {
        let mut bytes = self.websocket.remove(&stream).unwrap_or_default();
        loop {
            let frame = self.next_on(stream);
            if frame.kind == DATA {
                bytes.extend(&frame.payload);
            }
            if frame.ends_stream() || frame.kind == RST_STREAM {
                return (bytes, frame);
            }
        }
    }

    /// A barrier: what the server answers to all that was sent before has come, as it answers a second PING
    /// only after it wrote what it did on the first.
    pub fn sync(&mut self) {
        for _ in 0..2 {
            self.pings += 1;
            let payload = self.pings.to_be_bytes();
            self.send(&Frame::ping(payload));
            self.take("the answer to a PING", |frame| frame.kind == PING && frame.payload == payload);
        }
    }

    /// Asserts, up to a barrier, that nothing (more) has come on a stream.
    pub fn expect_silence_on(&mut self, stream: u32) {
        self.sync();
        let unexpected: Vec<_> = self.frames.iter().filter(|frame| frame.stream == stream).collect();
        assert!(unexpected.is_empty(), "expected nothing more on stream {stream}, got {unexpected:?}");
    }

    /// Reads what has come, without waiting.
    pub fn read_available(&mut self) -> Option<End> {
        self.socket.set_nonblocking(true);
        let mut chunk = [0; 65_536];
        let read = self.socket.read(&mut chunk);
        self.socket.set_nonblocking(false);
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            read => self.took(read, &chunk),
        }
    }

    /// All frames that came and were not taken.
    pub fn take_all(&mut self) -> VecDeque<Frame> {
        std::mem::take(&mut self.frames)
    }

    /// Reads until the server ends the connection; frames stay for `take`.
    pub fn wait_end(&mut self) -> End {
        loop {
            if let Some(end) = self.try_read_more("the end of the connection") {
                return end;
            }
        }
    }

    /// Asserts that the server gives a GOAWAY with `code` and then ends the connection.
    pub fn expect_goaway(&mut self, code: u32) -> Frame {
        self.wait_end();
        let goaway = self.goaway();
        assert_eq!(goaway.error_code(), code, "the error code of GOAWAY; not taken: {:?}", self.frames);
        goaway
    }

    /// What came and was not taken, as raw bytes that are no frames yet: for answers that are not HTTP/2.
    pub fn raw_until_end(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.buffer);
        match self.socket.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => bytes,
            Err(error) => panic!("expected the end of the connection: {error}"),
        }
    }

    /// The frames that came and were not taken.
    pub fn untaken(&self) -> &VecDeque<Frame> {
        &self.frames
    }

    /// A value of the server's SETTINGS.
    pub fn setting(&self, id: u16) -> Option<u32> {
        self.settings.get(&id).copied()
    }

    /// How many of our SETTINGS the server acknowledged.
    pub fn settings_acks(&self) -> usize {
        self.settings_acks
    }

    /// The sum of the server's WINDOW_UPDATEs that came for a stream, or (0) the connection.
    pub fn credit(&self, stream: u32) -> u64 {
        self.credit.get(&stream).copied().unwrap_or(0)
    }

    /// Reads until the server has granted so much by WINDOW_UPDATE.
    pub fn wait_credit(&mut self, stream: u32, least: u64) {
        while self.credit(stream) < least {
            self.read_more(&format!("WINDOW_UPDATEs of {least} on stream {stream}"));
        }
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    pub head: Frame,
    pub body: Vec<u8>,
    pub trailers: Option<Vec<Field>>,
    ended: bool,
}

/// HEADERS in one frame.
pub fn headers<N: AsRef<[u8]>, V: AsRef<[u8]>>(stream: u32, fields: &[(N, V)], end: bool) -> Frame {
    let flags = END_HEADERS | if end { END_STREAM } else { 0 };
    Frame::new(HEADERS, flags, stream, hpack::encode(fields))
}

/// The head of an ordinary request.
pub fn request_fields(method: &str, path: &str) -> Vec<Field> {
    fields(&[(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path)])
}

/// The head of an opening handshake (RFC 8441 §5).
pub fn connect_fields(path: &str) -> Vec<Field> {
    fields(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("sec-websocket-version", "13"),
    ])
}

/// `base` with a field replaced, added (at the end, or among the pseudo fields) or, with `None`, left out.
pub fn with_field(mut base: Vec<Field>, name: &str, value: Option<&str>) -> Vec<Field> {
    let at = base.iter().position(|(n, _)| n == name);
    match (at, value) {
        (Some(at), Some(value)) => base[at].1 = value.to_owned(),
        (Some(at), None) => drop(base.remove(at)),
        (None, Some(value)) => {
            let at = if name.starts_with(':') { 0 } else { base.len() };
            base.insert(at, (name.to_owned(), value.to_owned()));
        }
        (None, None) => panic!("{name} is not among the fields"),
    }
    base
}

pub fn fields(list: &[(&str, &str)]) -> Vec<Field> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
