//! The native side of `h2ws-jvm`: JNI over the host API of h2ws, never over its C ABI.
//!
//! Java's threads drive the loops: `Native.poll` runs one until there is something to tell, and comes back with a batch of
//! [records](record) in a buffer of Java's. So no thread is attached, nothing calls up into Java, no reference to a Java object
//! outlives the native that it was given to, and what Java says while it goes through a batch is applied at once. Natives
//! give a status, and their text by `Native.lastError()`; a panic is a status too.
//!
//! [`onload`] binds them one to one to `dev.h2ws.internal.Native`.

mod args;
pub mod batch;
mod duplex;
mod engines;
mod exchange;
mod lifecycle;
pub mod onload;
pub mod record;
mod recorder;
mod takeover;
mod tls;
