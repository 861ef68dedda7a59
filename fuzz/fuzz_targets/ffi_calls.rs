//! A host's calls of the C API, in any order and with any numbers: none panics, each comes back, and streams end with their
//! connection. Pointers are valid or NULL, as C promises; everything else is the input's.
//!
//! Input: calls, 6 bytes each: which, whose stream, two numbers of 1 and 2 bytes, what data.

#![no_main]

mod peer;

use h2ws::ffi::*;
use libfuzzer_sys::fuzz_target;
use peer::Peer;
use std::ffi::c_void;
use std::os::fd::IntoRawFd;
use std::ptr;
use std::sync::{Condvar, Mutex, OnceLock};

const PANIC: i32 = -99;
/// Streams that are open at the start of each input: 3 WebSockets and a request.
const STREAMS: usize = 4;

/// The streams of all inputs, in order; some are long gone.
static SEEN: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static COME: Condvar = Condvar::new();

unsafe extern "C" fn on_request(_: *mut c_void, request: *const h2ws_request) {
    // SAFETY: borrowed until this returns, as the header says.
    let stream = unsafe { (*request).stream };
    SEEN.lock().expect("no panic before").push(stream);
    COME.notify_all();
}

/// One engine for all inputs.
fn engine() -> *mut h2ws_engine {
    static ENGINE: OnceLock<usize> = OnceLock::new();
    *ENGINE.get_or_init(|| {
        // SAFETY: zero is "not given" in every field, and NULL is legal for each callback but on_request.
        let mut callbacks: h2ws_callbacks = unsafe { std::mem::zeroed() };
        callbacks.size = size_of::<h2ws_callbacks>();
        callbacks.on_request = Some(on_request);
        let mut engine = ptr::null_mut();
        // SAFETY: both pointers are valid for the call.
        let status = unsafe { h2ws_engine_create(ptr::null(), &callbacks, &mut engine) };
        assert_eq!(status, 0, "the default configuration works");
        engine as usize
    }) as *mut h2ws_engine
}

fn str_of(bytes: &[u8]) -> h2ws_str {
    h2ws_str { data: bytes.as_ptr().cast(), len: bytes.len() }
}

struct Call<'a> {
    stream: u64,
    small: u8,
    number: u16,
    data: &'a [u8],
}

/// Makes one call of the input's.
fn make(engine: *mut h2ws_engine, which: u8, call: &Call<'_>) -> i32 {
    let Call { stream, small, number, data } = *call;
    let text = if small & 0x80 != 0 { h2ws_str { data: ptr::null(), len: data.len() & 1 } } else { str_of(data) };
    let (name, value) = data.split_at(data.len() / 2);
    let items = [h2ws_header { name: str_of(name), value: str_of(value) }];
    let headers = h2ws_headers { items: items.as_ptr(), count: usize::from(small & 1) };
    let headers: *const h2ws_headers = if small & 2 == 0 { ptr::null() } else { &headers };
    let options = h2ws_accept_options {
        size: if small & 4 == 0 { size_of::<h2ws_accept_options>() } else { usize::from(number) },
        subprotocol: if small & 8 == 0 { str_of(b"") } else { text },
        headers,
        context: ptr::without_provenance_mut(usize::from(number)),
        manual_control: i32::from(small & 16 != 0),
        fragments: i32::from(small & 32 != 0),
        demand: i32::from(small & 64),
        no_deflate: i32::from(number & 1),
    };
    let options: *const _ = if small & 0x80 != 0 { ptr::null() } else { &options };
    let kind = i32::from(small % 5);
    // SAFETY: every pointer is NULL or valid for the call; a struct's size never exceeds what it is.
    unsafe {
        match which % 19 {
            0 | 1 if number as usize > size_of::<h2ws_accept_options>() && small & 4 != 0 => 0,
            0 | 1 => h2ws_accept(engine, stream, options),
            2 => h2ws_reject(engine, stream, number, headers, text),
            3 => h2ws_respond(engine, stream, number, headers, text),
            4 => h2ws_respond_start(engine, stream, number, headers),
            5 => h2ws_inform(engine, stream, number, headers),
            6 => h2ws_send_body(engine, stream, text),
            7 => h2ws_finish(engine, stream, headers),
            8 => h2ws_send(engine, stream, kind, text),
            9 => h2ws_send_uncompressed(engine, stream, kind, text),
            10 => h2ws_send_fragment(engine, stream, kind, text, i32::from(number & 1)),
            11 => h2ws_ping(engine, stream, text),
            12 => h2ws_pong(engine, stream, text),
            13 => h2ws_close(engine, stream, number, text),
            14 => h2ws_abort(engine, stream, u32::from(number)),
            15 => h2ws_demand(engine, stream, u32::from(number).wrapping_shl(small.into())),
            16 => h2ws_set_context(engine, stream, ptr::without_provenance_mut(usize::from(number))),
            17 => h2ws_set_demand(engine, stream),
            _ => h2ws_listener_close(engine, stream),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let engine = engine();
    let before = SEEN.lock().expect("no panic before").len();
    let mut opening = Vec::new();
    for stream in 0..3 {
        opening.extend(peer::handshake(stream, "/"));
    }
    let post = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "fuzz")];
    opening.extend(peer::frame(1, 4, 7, &peer::block(&post)));
    let opening = peer::opening(&opening);
    let (peer, theirs): (Peer, _) = Peer::pair();
    // SAFETY: the descriptor is ours to give away; the bytes are valid for the call.
    let status = unsafe { h2ws_adopt(engine, theirs.into_raw_fd(), str_of(&opening), ptr::null(), ptr::null_mut()) };
    assert_eq!(status, 0, "a connected socket");
    let seen = SEEN.lock().expect("no panic before");
    let seen = COME.wait_while(seen, |seen| seen.len() < before + STREAMS).expect("no panic before").clone();

    for call in data.chunks_exact(6).take(64) {
        let [which, whose, small, high, low, length] = *call else { return };
        let stream = match whose {
            0 => 0,
            1..=200 => seen[seen.len() - 1 - usize::from(whose) % seen.len().min(32)],
            _ => u64::from_be_bytes([whose, small, high, low, length, which, small, low]),
        };
        let call = Call {
            stream,
            small,
            number: u16::from_be_bytes([high, low]),
            data: &data[..usize::from(length).min(data.len())],
        };
        assert_ne!(make(engine, which, &call), PANIC, "call {which} panicked");
    }

    peer.end();
    // SAFETY: zero is a valid value of every counter.
    let mut stats: h2ws_stats = unsafe { std::mem::zeroed() };
    stats.size = size_of::<h2ws_stats>();
    // SAFETY: both pointers are valid for the call.
    assert_eq!(unsafe { h2ws_engine_stats(engine, &mut stats) }, 0);
    assert_eq!((stats.panics, stats.open_streams), (0, 0), "nothing panics, nothing is left");
    let mut seen = SEEN.lock().expect("no panic before");
    let old = seen.len().saturating_sub(32);
    seen.drain(..old);
});
