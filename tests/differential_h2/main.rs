//! The same bytes through plain `h2` and through h2ws give the same: what the split takes away from `h2` must not show.
//!
//! Random conversations: WebSockets and requests on one connection, DATA cut and padded in many ways, streams interleaved,
//! header blocks with CONTINUATION, trailers, resets, other frames in between. Of a WebSocket, `h2`'s bytes are decoded by
//! h2ws's own receiver. Compared in full both ways: which streams, what they carried, how they ended. Known deviations:
//! - HEADERS on a WebSocket: `h2` takes them for trailers, h2ws resets the stream (RFC 9113 §8.5);
//!
//! and these, which are not generated:
//! - DATA after END_STREAM on a WebSocket: `h2` ends the connection, h2ws resets the stream (RFC 9113 §5.1);
//! - WINDOW_UPDATE of 0 on a WebSocket: the same (§6.9);
//! - empty DATA: `h2` allows 100 in a connection's life, h2ws so many a second.

use conversation::conversation;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

mod conversation;
mod plain_h2;
mod seen;
#[path = "../support/mod.rs"]
mod support;
mod through_h2ws;

const WINDOW: u32 = 1 << 20;
const TRAILER: &str = "the end";
const BARRIER: [u8; 8] = *b"barrier!";
/// How long anything may take: a bound on failure, not a wait.
const LIMIT: Duration = Duration::from_secs(30);

/// The same conversations in each run; another seed by `PROPTEST_RNG_SEED`, more of them by `PROPTEST_CASES`.
fn configuration() -> ProptestConfig {
    let given = |name| std::env::var_os(name).is_some();
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if given("PROPTEST_CASES") { default.cases } else { 300 },
        rng_seed: if given("PROPTEST_RNG_SEED") { default.rng_seed } else { RngSeed::Fixed(8441) },
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..default
    }
}

proptest! {
    #![proptest_config(configuration())]

    #[test]
    fn h2_and_h2ws_see_the_same(conversation in conversation()) {
        static CASE: AtomicU32 = AtomicU32::new(0);
        let case = CASE.fetch_add(1, Ordering::Relaxed).to_string();
        let bytes = conversation.bytes(&case);
        let expected = plain_h2::serve(&bytes, &conversation.pieces);
        prop_assert_eq!(expected.len(), conversation.streams.len(), "h2 has seen every stream");
        let paths: Vec<String> = expected.keys().cloned().collect();
        let seen = through_h2ws::serve(&paths, &bytes, conversation.first, &conversation.pieces);
        prop_assert_eq!(seen, expected, "h2ws, and then h2");
    }
}
