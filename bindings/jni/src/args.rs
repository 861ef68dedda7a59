//! Between Java's values and Rust's, and what becomes of a refusal: a status for Java, its text for `Native.lastError()`.

use h2ws::{Error, Status};
use http::{HeaderMap, HeaderName, HeaderValue};
use jni::objects::{JByteArray, JByteBuffer, JObjectArray, JString};
use jni::{Env, EnvUnowned, Outcome};
use std::cell::RefCell;

/// Why a native did nothing.
pub(crate) enum Refusal {
    /// h2ws refused.
    Refused(Error),
    /// A Java exception is pending, or JNI itself failed.
    Jni(jni::errors::Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<jni::errors::Error> for Refusal {
    fn from(error: jni::errors::Error) -> Self {
        Self::Jni(error)
    }
}

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
    /// For what is copied out of Java's arrays.
    static SCRATCH: RefCell<Vec<i8>> = const { RefCell::new(Vec::new()) };
}

/// A scratch buffer larger than this is not kept.
const KEPT: usize = 1 << 20;

/// The text of this thread's last refusal.
pub(crate) fn last_error() -> String {
    LAST_ERROR.with_borrow(Clone::clone)
}

/// What a native may return, and what says that it was refused.
pub(crate) trait Answer {
    fn refused(status: i32) -> Self;
}

impl Answer for i32 {
    fn refused(status: i32) -> Self {
        status
    }
}

impl Answer for i64 {
    fn refused(status: i32) -> Self {
        status.into()
    }
}

impl Answer for () {
    fn refused(_: i32) -> Self {}
}

macro_rules! null {
    ($($name:ident),*) => { $(
        impl Answer for jni::objects::$name<'_> {
            fn refused(_: i32) -> Self {
                Self::null()
            }
        }
    )* };
}
null!(JString, JIntArray, JLongArray);

impl Answer for JObjectArray<'_, JString<'_>> {
    fn refused(_: i32) -> Self {
        Self::null()
    }
}

/// The body of each native: neither a refusal nor a panic leaves it but as a status.
pub(crate) fn native<'local, R: Answer>(
    env: &mut EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<R, Refusal>,
) -> R {
    let (status, text) = match env.with_env(body).into_outcome() {
        Outcome::Ok(answer) => return answer,
        Outcome::Err(Refusal::Refused(error)) => (error.status(), error.text().to_owned()),
        Outcome::Err(Refusal::Jni(error)) => (Status::InvalidArgument, error.to_string()),
        Outcome::Panic(_) => (Status::Panic, Status::Panic.text().to_owned()),
    };
    LAST_ERROR.with_borrow_mut(|last| *last = text);
    R::refused(status.code())
}

fn invalid(text: String) -> Refusal {
    Refusal::Refused(Error::new(Status::InvalidArgument, text))
}

/// Gives `f` a piece of a direct buffer, to read or to write.
pub(crate) fn with_buffer<R>(
    env: &mut Env<'_>,
    buffer: &JByteBuffer<'_>,
    offset: i32,
    length: i32,
    f: impl FnOnce(&mut [u8]) -> Result<R, Error>,
) -> Result<R, Refusal> {
    let (address, capacity) = (env.get_direct_buffer_address(buffer)?, env.get_direct_buffer_capacity(buffer)?);
    let bounds = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
    let Some((offset, length)) = bounds.filter(|(offset, length)| offset.saturating_add(*length) <= capacity) else {
        return Err(invalid(format!("{length} bytes from {offset} of a buffer of {capacity}")));
    };
    // SAFETY: within the buffer, which Java keeps while the native runs. Another thread of Java's may touch it meanwhile, which
    // would be its fault, and harm no more than the bytes
    Ok(f(unsafe { std::slice::from_raw_parts_mut(address.add(offset), length) })?)
}

/// Gives `f` a piece of a Java array.
pub(crate) fn with_bytes<R>(
    env: &mut Env<'_>,
    array: &JByteArray<'_>,
    offset: i32,
    length: i32,
    f: impl FnOnce(&[u8]) -> Result<R, Error>,
) -> Result<R, Refusal> {
    if array.is_null() {
        return if length == 0 { Ok(f(&[])?) } else { Err(invalid(format!("no array for {length} bytes"))) };
    }
    let Ok(size) = usize::try_from(length) else { return Err(invalid(format!("{length} bytes"))) };
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < size {
            scratch.resize(size, 0);
        }
        // out of its bounds: Java's own exception
        array.get_region(env, offset, &mut scratch[..size])?;
        // SAFETY: i8 and u8 have the same layout
        let bytes = unsafe { std::slice::from_raw_parts(scratch.as_ptr().cast::<u8>(), size) };
        let done = f(bytes);
        if scratch.len() > KEPT {
            *scratch = Vec::new();
        }
        Ok(done?)
    })
}

/// All of a Java array; an empty one for null.
pub(crate) fn bytes(env: &mut Env<'_>, array: &JByteArray<'_>) -> Result<Vec<u8>, Refusal> {
    if array.is_null() {
        return Ok(Vec::new());
    }
    let length = array.len(env)?;
    with_bytes(env, array, 0, length as i32, |bytes| Ok(bytes.to_vec()))
}

/// A Java string.
pub(crate) fn string(env: &mut Env<'_>, string: &JString<'_>) -> Result<String, Refusal> {
    Ok(string.try_to_string(env)?)
}

/// A string or nothing.
pub(crate) fn optional(env: &mut Env<'_>, text: &JString<'_>) -> Result<Option<String>, Refusal> {
    if text.is_null() { Ok(None) } else { string(env, text).map(Some) }
}

/// The strings of an array.
pub(crate) fn strings(env: &mut Env<'_>, array: &JObjectArray<'_, JString<'_>>) -> Result<Vec<String>, Refusal> {
    if array.is_null() {
        return Ok(Vec::new());
    }
    let length = array.len(env)?;
    let mut strings = Vec::with_capacity(length);
    for index in 0..length {
        let element = array.get_element(env, index)?;
        strings.push(string(env, &element)?);
        env.delete_local_ref(element);
    }
    Ok(strings)
}

/// Names and values in turn. A value's characters are its bytes (ISO-8859-1).
pub(crate) fn headers(env: &mut Env<'_>, array: &JObjectArray<'_, JString<'_>>) -> Result<HeaderMap, Refusal> {
    let strings = strings(env, array)?;
    let mut headers = HeaderMap::with_capacity(strings.len() / 2);
    for pair in strings.chunks(2) {
        let [name, value] = pair else { return Err(invalid(format!("header {:?} has no value", pair[0]))) };
        let name_bytes = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| invalid(format!("{name:?} is no name of a header field (RFC 9110 section 5.1)")))?;
        let latin1: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
        let value = latin1
            .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
            .ok_or_else(|| invalid(format!("the value of header {name:?} has a character that none may have")))?;
        if headers.try_append(name_bytes, value).is_err() {
            return Err(invalid("more header fields than there can be".to_owned()));
        }
    }
    Ok(headers)
}
