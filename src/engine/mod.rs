//! Event loops, sockets, connections. Knows `proto` below it; nothing of who embeds it.

pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod deflate;
pub(crate) mod event;
mod flood;
pub(crate) mod handle;
mod http2;
pub(crate) mod listener;
pub(crate) mod loops;
mod preface;
mod send_queue;
pub(crate) mod shared;
pub(crate) mod stats;
pub(crate) mod status;
mod table;
pub(crate) mod tls;
pub(crate) mod transport;
mod websocket;
