//! What the behaviour tests stand on: a client that speaks HTTP/2 byte by byte, and a host that writes down
//! every event it is given.
// Each test binary takes what it needs of these modules.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

pub mod bridge;
pub mod client;
pub mod deflate;
pub mod frame;
pub mod host;
pub mod hpack;
pub mod http1;
pub mod process;
pub mod rules;
pub mod tls;

use std::time::Duration;

/// The bound after which a test that waits for something has failed. Never a pause.
pub const FAILURE: Duration = Duration::from_secs(10);
