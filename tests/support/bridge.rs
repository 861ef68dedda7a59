//! A host that keeps its sockets and moves their bytes itself: with it every test of behaviour can run over the byte transport.

use h2ws::{Attach, ConnectionId, Engine, Error, ListenOptions, Read as Came, Ready};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::JoinHandle;

/// Set, the tests' hosts listen by a bridge wherever they can.
pub const VARIABLE: &str = "H2WS_TEST_TRANSPORT";

pub fn wanted(options: &ListenOptions) -> bool {
    std::env::var(VARIABLE).is_ok_and(|transport| transport == "bytes") && options.tls.is_none()
}

/// What the engine has said of a connection and its threads have not come to.
#[derive(Default)]
struct Word {
    ready: Mutex<(Ready, bool)>,
    said: Condvar,
    /// What had not been read when the connection ended, and how it did: the engine keeps that no longer than itself. Locked
    /// for each read, of which there is one at a time.
    rest: Mutex<Option<(Vec<u8>, Came)>>,
}

impl Word {
    fn read(&self, engine: &Engine, connection: ConnectionId, into: &mut [u8]) -> Result<Came, Error> {
        match &mut *self.rest.lock().expect("not poisoned") {
            None => engine.duplex_read(connection, into),
            Some((bytes, end)) if bytes.is_empty() => Ok(*end),
            Some((bytes, _)) => {
                let n = bytes.len().min(into.len());
                into[..n].copy_from_slice(&bytes[..n]);
                bytes.drain(..n);
                Ok(Came::Bytes(n))
            }
        }
    }

    fn keep_the_rest(&self, engine: &Engine, connection: ConnectionId) {
        let mut rest = self.rest.lock().expect("not poisoned");
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        let end = loop {
            match engine.duplex_read(connection, &mut buffer) {
                Ok(Came::Bytes(n)) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
                Ok(end) => break end,
                // closed by its own threads
                Err(_) => break Came::Reset,
            }
        };
        *rest = Some((bytes, end));
    }

    fn tell(&self, ready: Ready) {
        let mut all = self.ready.lock().expect("not poisoned");
        all.0.readable |= ready.readable;
        all.0.writable |= ready.writable;
        self.said.notify_all();
    }

    fn over(&self) {
        self.ready.lock().expect("not poisoned").1 = true;
        self.said.notify_all();
    }

    /// Waits until `which` is said, and takes it. False: the connection has ended for the engine.
    fn wait(&self, which: impl Fn(&mut Ready) -> &mut bool) -> bool {
        let mut all = self.ready.lock().expect("not poisoned");
        loop {
            if std::mem::take(which(&mut all.0)) {
                return true;
            }
            if all.1 {
                return false;
            }
            all = self.said.wait(all).expect("not poisoned");
        }
    }
}

/// Those that are open.
#[derive(Default)]
pub struct Bridges {
    last: AtomicU64,
    engine: OnceLock<Engine>,
    words: Mutex<HashMap<u64, Arc<Word>>>,
    names: Mutex<HashMap<ConnectionId, u64>>,
}

impl Bridges {
    /// From [`h2ws::Handler::duplex`].
    pub fn duplex(&self, connection: ConnectionId, context: u64, ready: Ready) {
        self.names.lock().expect("not poisoned").insert(connection, context);
        if let Some(word) = self.words.lock().expect("not poisoned").get(&context) {
            word.tell(ready);
        }
    }

    /// From [`h2ws::Handler::disconnected`].
    pub fn disconnected(&self, connection: ConnectionId) {
        let context = self.names.lock().expect("not poisoned").remove(&connection);
        if let Some(word) = context.and_then(|context| self.words.lock().expect("not poisoned").remove(&context)) {
            if let Some(engine) = self.engine.get() {
                word.keep_the_rest(engine, connection);
            }
            word.over();
        }
    }

    /// Serves a socket.
    pub fn serve(self: &Arc<Self>, engine: &Engine, socket: TcpStream, options: &ListenOptions) {
        self.engine.get_or_init(|| engine.clone());
        let context = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let word = Arc::new(Word::default());
        self.words.lock().expect("not poisoned").insert(context, Arc::clone(&word));
        let peer = socket.peer_addr().map_or_else(|_| "gone".into(), |a| a.to_string());
        let attach = Attach { peer, context, options: options.clone(), ..Attach::default() };
        let Ok(connection) = engine.attach(attach) else {
            self.words.lock().expect("not poisoned").remove(&context);
            return;
        };
        self.names.lock().expect("not poisoned").insert(connection, context);
        let socket = Arc::new(socket);
        let (up, up_word, up_engine) = (Arc::clone(&socket), Arc::clone(&word), engine.clone());
        std::thread::spawn(move || from_peer(&up_engine, connection, &up, &up_word));
        let engine = engine.clone();
        std::thread::spawn(move || to_peer(&engine, connection, &socket, &word));
    }
}

fn from_peer(engine: &Engine, connection: ConnectionId, mut socket: &TcpStream, word: &Word) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut bytes = match socket.read(&mut buffer) {
            Ok(0) => return drop(engine.duplex_shut(connection)),
            Ok(n) => &buffer[..n],
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return drop(engine.duplex_close(connection, true)),
        };
        while !bytes.is_empty() {
            let Ok(n) = engine.duplex_write(connection, bytes) else { return };
            bytes = &bytes[n..];
            if !bytes.is_empty() && !word.wait(|ready| &mut ready.writable) {
                return;
            }
        }
    }
}

fn to_peer(engine: &Engine, connection: ConnectionId, mut socket: &TcpStream, word: &Word) {
    let mut buffer = vec![0; 64 << 10];
    let mut over = false;
    let reset = loop {
        match word.read(engine, connection, &mut buffer) {
            Ok(Came::Bytes(0)) if over => break false,
            // when it has ended, perhaps with something to read
            Ok(Came::Bytes(0)) => over = !word.wait(|ready| &mut ready.readable),
            Ok(Came::Bytes(n)) => {
                if socket.write_all(&buffer[..n]).is_err() {
                    break true;
                }
            }
            Ok(Came::End) => {
                let _ = socket.shutdown(Shutdown::Write);
                // until the engine has heard the peer's end too
                while word.wait(|ready| &mut ready.readable) {}
                break false;
            }
            Ok(Came::Reset) => break true,
            Err(_) => break true,
        }
    };
    if reset {
        let _ = socket2::SockRef::from(socket).set_linger(Some(std::time::Duration::ZERO));
    }
    let _ = engine.duplex_close(connection, reset);
    // the thread that reads sees it too
    let _ = socket.shutdown(if reset { Shutdown::Read } else { Shutdown::Both });
}

/// A port whose connections are bridged.
pub struct Listener {
    address: String,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    pub fn start(engine: &Engine, bridges: &Arc<Bridges>, options: &ListenOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let over = Arc::new(AtomicBool::new(false));
        let (engine, bridges, options, ended) =
            (engine.clone(), Arc::clone(bridges), options.clone(), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            for socket in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(socket) = socket {
                    socket.set_nodelay(true).expect("nodelay");
                    bridges.serve(&engine, socket, &options);
                }
            }
        });
        Self { address, over, thread: Some(thread) }
    }

    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
