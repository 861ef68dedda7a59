//! Taking a connected socket from the JVM.
//!
//! A duplicate alone is not enough: the JVM's `close` of a registered channel shuts the shared connection down, its `SO_LINGER` is
//! shared too, and its file descriptor stays in epoll. So the duplicate becomes ours, and a dead socket takes the place of the
//! JVM's own, as the JDK itself does before it closes (`preClose` in its UnixDispatcher.c): whatever the JVM does with it
//! afterwards, the connection never feels it.

use crate::args::Refusal;
use h2ws::{Error, Status};
use jni::objects::JObject;
use jni::{Env, jni_sig, jni_str};
use rustix::io::{DupFlags, dup3};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

/// One end of a pair whose other end is closed: reads see its end, writes fail.
fn dead() -> Result<&'static UnixStream, Error> {
    static DEAD: OnceLock<UnixStream> = OnceLock::new();
    if let Some(dead) = DEAD.get() {
        return Ok(dead);
    }
    let (dead, _) = UnixStream::pair().map_err(|e| failed("no socket to leave in its place", &e))?;
    Ok(DEAD.get_or_init(|| dead))
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::new(Status::Io, format!("the socket could not be taken over: {what}: {error}"))
}

/// The descriptor of a `SocketChannel`, or of a `Socket` that a `ServerSocket` accepted.
fn descriptor(env: &mut Env<'_>, object: &JObject<'_>) -> Result<RawFd, Refusal> {
    let channel = env.find_class(jni_str!("java/nio/channels/SocketChannel"))?;
    if env.is_instance_of(object, &channel)? {
        // a method of sun.nio.ch.SelChImpl: steadier than its private fields, and JNI asks for no access
        return Ok(env.call_method(object, jni_str!("getFDVal"), jni_sig!("()I"), &[])?.i()?);
    }
    let holder = env.get_field(object, jni_str!("impl"), jni_sig!("Ljava/net/SocketImpl;"))?.l()?;
    let file = env.get_field(&holder, jni_str!("fd"), jni_sig!("Ljava/io/FileDescriptor;"))?.l()?;
    if file.is_null() {
        let text =
            "this Socket belongs to a SocketChannel, or is not connected; hand over its channel (Socket.getChannel)";
        return Err(Error::new(Status::NotASocket, text).into());
    }
    Ok(env.get_field(&file, jni_str!("fd"), jni_sig!("I"))?.i()?)
}

/// Duplicates the descriptor for h2ws and leaves a dead one to the JVM. After a failure all is as it was.
pub(crate) fn take_over(env: &mut Env<'_>, object: &JObject<'_>) -> Result<RawFd, Refusal> {
    let raw = descriptor(env, object)?;
    if raw < 0 {
        return Err(Error::new(Status::NotASocket, "the socket is closed").into());
    }
    // SAFETY: the JVM's descriptor; Java holds the object and closes it only after this native (contract of `Native.takeOver`)
    let theirs = unsafe { BorrowedFd::borrow_raw(raw) };
    // F_DUPFD_CLOEXEC
    let ours = theirs.try_clone_to_owned().map_err(|e| failed("no duplicate", &e))?;
    // SAFETY: as above; it is not closed here, since it is not dropped
    let mut place = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(raw) });
    dup3(dead()?.as_fd(), &mut place, DupFlags::CLOEXEC)
        .map_err(|e| failed("its place could not be filled", &e.into()))?;
    Ok(ours.into_raw_fd())
}

/// Owns a descriptor that Java has from [`take_over`] or from a fallback.
pub(crate) fn own(raw: RawFd) -> Result<OwnedFd, Error> {
    if raw < 0 {
        return Err(Error::new(Status::NotASocket, format!("{raw} is no descriptor")));
    }
    // SAFETY: Java gives each descriptor back once (contract of `Native.adopt` and `Native.closeFd`)
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}
