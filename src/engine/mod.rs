//! Event loops, sockets, connections. Knows `proto` below it; nothing of who embeds it.

mod byte_queue;
pub(crate) mod command;
pub(crate) mod config;
mod credit;
mod deadline;
pub(crate) mod deflate;
mod ending;
pub(crate) mod event;
mod flag;
mod flood;
pub(crate) mod handle;
mod http1;
mod http2;
pub(crate) mod listener;
pub(crate) mod loops;
mod pipe;
mod preface;
mod relay;
mod send_queue;
pub(crate) mod shared;
pub(crate) mod stats;
pub(crate) mod status;
mod table;
pub(crate) mod tls;
pub(crate) mod transport;
mod websocket;
pub(crate) mod wire;
