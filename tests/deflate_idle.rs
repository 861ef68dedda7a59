//! What permessage-deflate (RFC 7692) costs a socket that does not use it, by the byte: the heap of this process is counted.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::Config;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};
use support::client::{connect_fields, with_field};
use support::deflate::{OFFER, takeover};
use support::frame::{WS_PING, WS_PONG, ws_frame};
use support::host::Host;

/// The system's, with a count of what was asked for and not given back.
struct Counting;

static HELD: AtomicI64 = AtomicI64::new(0);

// SAFETY: all is done by `System`, with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the same.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

const SOCKETS: i64 = 500;

/// What so many sockets hold that have been pinged, and compress nothing. `offered`: their clients offer to.
fn held(offered: bool, change: impl FnOnce(&mut Config)) -> i64 {
    let host = Host::with(|config| {
        config.deflate_memory = 1 << 30;
        config.max_streams = SOCKETS as u32 + 1;
        change(config);
    });
    let mut client = host.client();
    // a field as long as the offer, since the test's host keeps it
    let name = if offered { "sec-websocket-extensions" } else { "x-which-is-just-as-long." };
    let fields = with_field(connect_fields("/quiet"), name, Some(OFFER));
    // buffers that all share have their size after one
    let open = |client: &mut support::client::Client| {
        let stream = client.open(&fields, false);
        assert_eq!(client.next_on(stream).status(), "200");
        client.data(stream, &ws_frame(true, WS_PING, b""));
        assert_eq!(client.ws_frame(stream).opcode, WS_PONG);
    };
    open(&mut client);
    let before = HELD.load(Ordering::Relaxed);
    for _ in 0..SOCKETS {
        open(&mut client);
    }
    client.sync();
    assert_eq!(host.stats().limit_deflate_memory, 0, "it was promised to all");
    HELD.load(Ordering::Relaxed) - before
}

#[test]
fn a_socket_that_never_compresses_pays_nothing() {
    let on = |config: &mut Config| config.deflate = true;
    let own = |config: &mut Config| {
        config.deflate = true;
        takeover(config);
    };
    let nothing = held(false, |_| {});
    // of all together: what loops are just about to give back
    let same = nothing + 16 * SOCKETS;
    assert!(nothing > 100 * SOCKETS, "{nothing} bytes: the sockets are counted");
    let declined = held(true, |_| {});
    assert!(declined < same, "{declined} bytes where the offer was declined, {nothing} without one");
    let silent = held(false, on);
    assert!(silent < same, "{silent} bytes where nothing was offered, {nothing} without compression");
    // docs/compression.md
    let most = nothing + 100 * SOCKETS;
    for agreed in [held(true, on), held(true, own)] {
        assert!(agreed > same, "{agreed} bytes: it was agreed on");
        assert!(agreed < most, "{agreed} bytes for {SOCKETS} sockets that agreed on it, {nothing} without compression");
    }
}
