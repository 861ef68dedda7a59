//! Taking a connected socket from the JVM.
//!
//! A duplicate alone is not enough: the JVM's `close` of a registered channel shuts the shared connection down, its `SO_LINGER` is
//! shared too, and its file descriptor stays in epoll. So the duplicate becomes ours, and a dead socket takes the place of the
//! JVM's own, as the JDK itself does before it closes (`preClose` in its UnixDispatcher.c): whatever the JVM does with it
//! afterwards, the connection never feels it.

use crate::args::Refusal;
use h2ws::{Error, Status};
use jni::objects::{JObject, JObjectArray};
use jni::{Env, jni_sig, jni_str};
use rustix::io::{DupFlags, dup3};
use rustix::net::sockopt::socket_type;
use rustix::net::{SocketType, getpeername};
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

fn refuse(text: &'static str) -> Refusal {
    Error::new(Status::NotASocket, text).into()
}

/// Whether a selector has the channel in its epoll. There it would stay with the connection, which lives on in our duplicate,
/// and nobody could take it out any more: the selector would spin. A key that never asked for anything is in none.
fn is_watched(env: &mut Env<'_>, channel: &JObject<'_>) -> Result<bool, Refusal> {
    let keys = env.get_field(channel, jni_str!("keys"), jni_sig!("[Ljava/nio/channels/SelectionKey;"))?.l()?;
    if keys.is_null() {
        return Ok(false);
    }
    let keys = env.cast_local::<JObjectArray<'_, JObject<'_>>>(keys)?;
    for i in 0..keys.len(env)? {
        let key = keys.get_element(env, i)?;
        if !key.is_null() && env.call_method(&key, jni_str!("registeredEvents"), jni_sig!("()I"), &[])?.i()? != 0 {
            return Ok(true);
        }
        env.delete_local_ref(key);
    }
    Ok(false)
}

fn of_channel(env: &mut Env<'_>, channel: &JObject<'_>) -> Result<RawFd, Refusal> {
    let own = env.find_class(jni_str!("sun/nio/ch/SelChImpl"))?;
    if !env.is_instance_of(channel, &own)? {
        return Err(refuse("its class is none of the JDK's own, which alone have a descriptor that can be had"));
    }
    if is_watched(env, channel)? {
        let text = "a Selector watches the channel; cancel its key and call selectNow() on the selector's thread, \
                    then hand it over";
        return Err(Error::new(Status::WrongState, text).into());
    }
    // a method of an interface: steadier than private fields, and JNI asks for no access
    Ok(env.call_method(channel, jni_str!("getFDVal"), jni_sig!("()I"), &[])?.i()?)
}

fn of_socket(env: &mut Env<'_>, socket: &JObject<'_>) -> Result<RawFd, Refusal> {
    let mut holder = env.get_field(socket, jni_str!("impl"), jni_sig!("Ljava/net/SocketImpl;"))?.l()?;
    // what `new Socket` has, other than `ServerSocket.accept`
    let delegating = env.find_class(jni_str!("java/net/DelegatingSocketImpl"))?;
    if !holder.is_null() && env.is_instance_of(&holder, &delegating)? {
        holder = env.get_field(&holder, jni_str!("delegate"), jni_sig!("Ljava/net/SocketImpl;"))?.l()?;
    }
    if holder.is_null() {
        return Err(refuse("this Socket has nothing below it; hand over one that ServerSocket.accept gave"));
    }
    let file = env.get_field(&holder, jni_str!("fd"), jni_sig!("Ljava/io/FileDescriptor;"))?.l()?;
    if file.is_null() {
        return Err(refuse("this Socket has no descriptor of its own; hand over what it is made of, say its channel"));
    }
    Ok(env.get_field(&file, jni_str!("fd"), jni_sig!("I"))?.i()?)
}

/// Takes over what is below a `SocketChannel` or a `Socket`.
pub(crate) fn take_over(env: &mut Env<'_>, object: &JObject<'_>) -> Result<RawFd, Refusal> {
    let channel = env.find_class(jni_str!("java/nio/channels/SocketChannel"))?;
    let raw = if env.is_instance_of(object, &channel)? { of_channel(env, object)? } else { of_socket(env, object)? };
    Ok(take_over_descriptor(raw)?)
}

/// Duplicates the descriptor for h2ws and leaves a dead one to the JVM. After a failure all is as it was.
pub(crate) fn take_over_descriptor(raw: RawFd) -> Result<RawFd, Error> {
    if raw < 0 {
        return Err(Error::new(Status::NotASocket, "the socket is closed"));
    }
    // SAFETY: Java has this descriptor from who owns it, and holds the owner until this has returned (contract of `Native.takeOver`
    // and `Native.takeOverDescriptor`)
    let theirs = unsafe { BorrowedFd::borrow_raw(raw) };
    // F_DUPFD_CLOEXEC
    let ours = theirs.try_clone_to_owned().map_err(|e| failed("no duplicate", &e))?;
    // whatever else the number names, its place must not be filled
    if socket_type(&ours) != Ok(SocketType::STREAM) || getpeername(&ours).is_err() {
        let text = format!("descriptor {raw} is no connected stream socket; the peer may be gone already: close it");
        return Err(Error::new(Status::NotASocket, text));
    }
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
