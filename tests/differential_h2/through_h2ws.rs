//! A conversation served by h2ws.

use crate::conversation::converse;
use crate::seen::{End, Seen, Told};
use crate::support::frame::PROTOCOL_ERROR;
use crate::{LIMIT, TRAILER, WINDOW};
use h2ws::{
    Accept, Body, Cause, Closed, Config, Control, ControlFrame, ControlKind, Delivery, Engine, Fragment, Handler,
    ListenOptions, Message, Request, Side, StreamId, StreamKind,
};
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, OnceLock};

#[derive(Default)]
pub(crate) struct Record {
    paths: HashMap<StreamId, String>,
    seen: HashMap<String, Seen>,
    ended: HashMap<String, bool>,
}

pub(crate) struct Recorder {
    engine: Engine,
    record: Arc<(Mutex<Record>, Condvar)>,
}

impl Recorder {
    fn with(&self, stream: StreamId, change: impl FnOnce(&mut Seen)) {
        let record = &mut *self.record.0.lock().expect("no test panics with it");
        let path = &record.paths[&stream];
        change(record.seen.get_mut(path).expect("registered with the path"));
    }
}

impl Handler for Recorder {
    fn request(&self, request: &Request<'_>) {
        let record = &mut *self.record.0.lock().expect("no test panics with it");
        record.paths.insert(request.stream, request.path.to_owned());
        let seen = match request.kind {
            StreamKind::WebSocket => {
                let delivery = if request.path.ends_with("?parts") { Delivery::Fragments } else { Delivery::Messages };
                let accept = Accept { control: Control::Manual, delivery, ..Accept::default() };
                self.engine.accept(request.stream, &accept).expect("a handshake that has just come");
                Seen::Socket(Vec::new(), End::Open)
            }
            StreamKind::Http => Seen::Request(Vec::new(), End::Open),
        };
        record.seen.insert(request.path.to_owned(), seen);
    }

    fn message(&self, message: &Message<'_>) {
        self.with(message.stream, |seen| match seen {
            Seen::Socket(told, _) => told.push(Told::Message(message.kind, message.data.to_vec())),
            Seen::Request(..) => panic!("a message on a request"),
        });
    }

    fn fragment(&self, part: &Fragment<'_>) {
        self.with(part.stream, |seen| match seen {
            Seen::Socket(told, _) => Told::add_part(told, part.kind, part.data, part.first, part.last),
            Seen::Request(..) => panic!("a part of a message on a request"),
        });
    }

    fn control(&self, control: &ControlFrame<'_>) {
        self.with(control.stream, |seen| match seen {
            // `closed` tells of it
            Seen::Socket(..) if control.kind == ControlKind::End => {}
            Seen::Socket(told, _) => told.push(Told::Control(control.kind, control.code, control.data.to_vec())),
            Seen::Request(..) => panic!("a control frame on a request"),
        });
        if matches!(control.kind, ControlKind::Close | ControlKind::End) {
            // without an answer the socket stays, and how the client's side ended is not told
            self.engine.close(control.stream, control.code, "").expect("the first Close of this side");
        }
    }

    fn body(&self, body: &Body<'_>) {
        self.with(body.stream, |seen| match seen {
            Seen::Request(data, end) => {
                data.extend_from_slice(body.data);
                if body.end {
                    *end = match body.trailers.and_then(|t| t.get("x-trailer")) {
                        Some(value) => End::Trailers(value.to_str().unwrap_or_default().to_owned()),
                        None => End::Whole,
                    };
                }
            }
            Seen::Socket(..) => panic!("a body on a WebSocket"),
        });
    }

    fn closed(&self, closed: &Closed<'_>) {
        self.with(closed.stream, |seen| {
            let (Seen::Socket(_, end) | Seen::Request(_, end)) = seen;
            match (closed.cause, closed.side) {
                (Cause::Reset, Side::Remote) => *end = End::Reset(closed.h2_code),
                (Cause::EndStream | Cause::CloseFrame, _) => *end = End::Whole,
                // `h2` takes them for trailers
                (Cause::Violation, _) if closed.h2_code == PROTOCOL_ERROR => *end = End::Trailers(TRAILER.to_owned()),
                (Cause::Disconnected, _) => {}
                other => panic!("{other:?}: {}", closed.reason),
            }
        });
        let record = &mut *self.record.0.lock().expect("no test panics with it");
        let path = record.paths.remove(&closed.stream).expect("registered with the path");
        record.ended.insert(path, true);
        self.record.1.notify_all();
    }
}

type Shared = (Engine, Arc<(Mutex<Record>, Condvar)>);

/// One engine for all cases.
pub(crate) fn engine() -> &'static Shared {
    static ENGINE: OnceLock<Shared> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let record = Arc::new((Mutex::new(Record::default()), Condvar::new()));
        let config = Config {
            loops: 1,
            stream_window: WINDOW,
            settings_rate: 1000,
            ping_rate: 1000,
            // beyond LIMIT: no end is the clock's
            close_timeout: 60_000,
            ..Config::default()
        };
        let ours = Arc::clone(&record);
        (Engine::start(config, |engine| Recorder { engine, record: ours }).expect("an engine"), record)
    })
}

pub(crate) fn serve(paths: &[String], bytes: &[u8], first: usize, pieces: &[usize]) -> HashMap<String, Seen> {
    let (engine, shared) = engine();
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let (already_read, rest) = bytes.split_at(first.min(bytes.len()));
    engine.adopt(theirs.into(), already_read, &ListenOptions::default()).expect("adopted");
    converse(ours, rest, pieces);
    let record = shared.0.lock().expect("no test panics with it");
    let (mut record, late) = shared
        .1
        .wait_timeout_while(record, LIMIT, |record| !paths.iter().all(|path| record.ended.contains_key(path)))
        .expect("no test panics with it");
    assert!(!late.timed_out(), "each stream has its last event");
    // all that is there: the engine serves one case after another
    record.ended.clear();
    std::mem::take(&mut record.seen)
}
