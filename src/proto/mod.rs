//! The protocols as state machines over bytes: RFC 6455 frames, RFC 7692 compression, handshakes of RFC 6455 and RFC 8441,
//! HTTP/1.1 requests.
//!
//! Nothing here knows of sockets, threads, clocks or hosts; the same bytes give the same answers,
//! however they are cut.
#![forbid(unsafe_code)]

pub mod close;
pub mod connect;
pub mod deflate;
pub(crate) mod fields;
pub mod frame;
pub mod http1;
pub mod mask;
pub mod receive;
pub mod scan;
pub mod upgrade;
pub mod utf8;
pub mod violation;

#[cfg(test)]
mod tests;
