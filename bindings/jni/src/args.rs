//! Between Java's values and Rust's, and what becomes of a refusal: a status for Java, its text for `Native.lastError()`.

use h2ws::{Error, MessageBuffer, Status};
use http::{HeaderMap, HeaderName, HeaderValue};
use jni::objects::{JByteArray, JByteBuffer, JIntArray, JObjectArray, JString};
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

/// So many bytes of an array are copied at once.
const AT_ONCE: i32 = 64 << 10;
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
    answer(env.with_env(body).into_outcome())
}

fn answer<R: Answer>(outcome: Outcome<R, Refusal>) -> R {
    let (status, text) = match outcome {
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

/// A message out of Java's arrays; `ranges` has an offset and a length for each.
pub(crate) fn gather(
    env: &mut Env<'_>,
    pieces: &JObjectArray<'_, JByteArray<'_>>,
    ranges: &JIntArray<'_>,
) -> Result<MessageBuffer, Refusal> {
    let mut bounds = vec![0; ranges.len(env)?];
    ranges.get_region(env, 0, &mut bounds)?;
    let bounds = bounds.chunks_exact(2).map(|range| (range[0], range[1]));
    // what is there, not what is claimed
    let mut there = 0;
    for (index, (_, length)) in bounds.clone().enumerate() {
        let piece = pieces.get_element(env, index)?;
        there += piece.len(env)?.min(usize::try_from(length).unwrap_or(0));
        env.delete_local_ref(piece);
    }
    // one array may be several pieces
    if there > i32::MAX as usize {
        return Err(invalid(format!("a message of {there} bytes; there may be {}", i32::MAX)));
    }
    let mut message = MessageBuffer::with_capacity(there);
    for (index, (offset, length)) in bounds.enumerate() {
        let piece = pieces.get_element(env, index)?;
        append(env, &mut message, &piece, offset, length)?;
        env.delete_local_ref(piece);
    }
    Ok(message)
}

/// A message out of a piece of one array, if that is so large that [`with_bytes`] would need a buffer only for it.
pub(crate) fn large(
    env: &mut Env<'_>,
    array: &JByteArray<'_>,
    offset: i32,
    length: i32,
) -> Result<Option<MessageBuffer>, Refusal> {
    if length <= KEPT as i32 || array.is_null() {
        return Ok(None);
    }
    let mut message = MessageBuffer::with_capacity(array.len(env)?.min(length as usize));
    append(env, &mut message, array, offset, length)?;
    Ok(Some(message))
}

fn append(
    env: &mut Env<'_>,
    message: &mut MessageBuffer,
    array: &JByteArray<'_>,
    mut offset: i32,
    mut length: i32,
) -> Result<(), Refusal> {
    if length < 0 {
        return Err(invalid(format!("{length} bytes")));
    }
    while length > 0 {
        // zeros first, and then the bytes while those are in the processor's cache
        let step = length.min(AT_ONCE);
        let room = message.extend(step as usize);
        // SAFETY: i8 and u8 have the same layout
        let room = unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast::<i8>(), room.len()) };
        // out of its bounds: Java's own exception
        array.get_region(env, offset, room)?;
        offset = offset.saturating_add(step);
        length -= step;
    }
    Ok(())
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

/// Header fields as `Headers.raw` of Java writes them: how many, then names and values in turn, each behind its length. One array
/// crosses at once; of strings each would cost five calls into the JVM.
pub(crate) fn headers(env: &mut Env<'_>, fields: &JByteArray<'_>) -> Result<HeaderMap, Refusal> {
    if fields.is_null() {
        return Ok(HeaderMap::new());
    }
    let length = fields.len(env)?;
    with_bytes(env, fields, 0, length as i32, header_map)
}

fn header_map(mut fields: &[u8]) -> Result<HeaderMap, Error> {
    let invalid = |text| Error::new(Status::InvalidArgument, text);
    let cut = || invalid("header fields that are cut off".to_owned());
    let count = number(&mut fields).filter(|count| *count <= fields.len() / 8).ok_or_else(cut)?;
    // and what a response gets besides, so that it does not grow for that
    let mut map = HeaderMap::with_capacity(count + 2);
    for _ in 0..count {
        let (name, value) = text(&mut fields).zip(text(&mut fields)).ok_or_else(cut)?;
        let shown = || String::from_utf8_lossy(name);
        let known = HeaderName::from_bytes(name)
            .map_err(|_| invalid(format!("{:?} is no name of a header field (RFC 9110 section 5.1)", shown())))?;
        let value = HeaderValue::from_bytes(value)
            .map_err(|_| invalid(format!("the value of header {:?} has a character that none may have", shown())))?;
        if map.try_append(known, value).is_err() {
            return Err(invalid("more header fields than there can be".to_owned()));
        }
    }
    Ok(map)
}

fn number(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number) as usize)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(bytes)?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_status_and_a_text() {
        let number: i64 = answer(Outcome::Panic(Box::new("on purpose")));
        assert_eq!(number, Status::Panic.code().into());
        assert_eq!(last_error(), Status::Panic.text());
        let text: JString<'_> = answer(Outcome::Panic(Box::new(7)));
        assert!(text.is_null());
    }

    fn written(count: u32, texts: &[&str]) -> Vec<u8> {
        let mut fields = count.to_le_bytes().to_vec();
        for text in texts {
            fields.extend((text.len() as u32).to_le_bytes());
            fields.extend(text.as_bytes());
        }
        fields
    }

    #[test]
    fn fields_come_in_their_order() {
        let map = header_map(&written(3, &["b", "1", "A", "", "b", "2"])).expect("fields");
        let all: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(all, [("b", &b"1"[..]), ("b", b"2"), ("a", b"")]);
        assert!(header_map(&written(0, &[])).expect("no fields").is_empty());
    }

    #[test]
    fn what_is_cut_off_or_counts_wrong_is_refused() {
        let fields = written(2, &["name", "value", "n", "v"]);
        for cut in 0..fields.len() {
            assert!(header_map(&fields[..cut]).is_err(), "{cut} bytes");
        }
        assert!(header_map(&written(u32::MAX, &["name", "value"])).is_err());
        let mut long = fields;
        long[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(header_map(&long).is_err());
    }

    #[test]
    fn what_no_field_may_have_is_named() {
        let text = |fields: &[u8]| header_map(fields).expect_err("refused").text().to_owned();
        assert!(text(&written(1, &["no name", "value"])).contains("\"no name\" is no name"));
        assert!(text(&written(1, &["name", "\0"])).contains("the value of header \"name\""));
    }
}
