//! `h2ws_str`, `h2ws_header`, `h2ws_headers`: what is borrowed across the border, both ways; and structs that begin
//! with their size.

use crate::host::{Error, Status};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::ffi::c_char;
use std::fmt::Display;
use std::ptr;

/// Bytes, or UTF-8 text: not NUL-terminated. `data` may be NULL only when `len` is 0. In C, H2WS_STR("literal") makes
/// one of a literal.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_str {
    /// The first byte, borrowed: see the function or event that has it.
    pub data: *const c_char,
    /// How many bytes.
    pub len: usize,
}

/// A header field.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_header {
    /// The name; lower-case in events, any case in arguments.
    pub name: h2ws_str,
    /// The value: bytes, usually ASCII.
    pub value: h2ws_str,
}

/// Header fields, in order. A name may come several times.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_headers {
    /// The first field; may be NULL only when `count` is 0.
    pub items: *const h2ws_header,
    /// How many fields.
    pub count: usize,
}

/// More fields than any response has: a count beyond it is a mistake, not a list to be read.
const MOST_FIELDS: usize = 10_000;

impl h2ws_str {
    /// A view of bytes of ours, for an event.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr().cast(), len: bytes.len() }
    }

    /// # Safety
    /// If `data` is not NULL, `len` bytes from it on are readable and do not change while `'a` lasts.
    pub(super) unsafe fn bytes<'a>(self, argument: impl Display) -> Result<&'a [u8], Error> {
        match (self.data.is_null(), self.len) {
            (_, 0) => Ok(&[]),
            // SAFETY: not NULL, and a length that an object can have; the rest is the caller's contract.
            (false, len) if isize::try_from(len).is_ok() => unsafe {
                Ok(std::slice::from_raw_parts(self.data.cast(), len))
            },
            (true, len) => {
                Err(invalid(format!("{argument}.data is NULL with len {len}; NULL is allowed only with len 0")))
            }
            (false, len) => Err(invalid(format!("{argument}.len is {len}, more than memory holds; was it set?"))),
        }
    }

    /// # Safety
    /// As [`Self::bytes`].
    pub(super) unsafe fn text<'a>(self, argument: &str) -> Result<&'a str, Error> {
        // SAFETY: the same contract.
        let bytes = unsafe { self.bytes(argument)? };
        simdutf8::basic::from_utf8(bytes).map_err(|_| {
            let good = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
            Error::new(Status::NotUtf8, format!("{argument} is not UTF-8 from byte {good} on; encode it as UTF-8"))
        })
    }
}

/// Fields that h2ws adds to a host's: content-length, or those of a handshake.
const ADDED: usize = 2;

/// The fields of `headers`, checked; none when it is NULL.
///
/// # Safety
/// `headers` is NULL or points to a list whose items are as [`h2ws_str::bytes`] wants them.
pub(super) unsafe fn header_map(headers: *const h2ws_headers, argument: &str) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    if headers.is_null() {
        return Ok(map);
    }
    // SAFETY: not NULL, so a list (the caller's contract); C's alignment rules hold for it.
    let list = unsafe { headers.read() };
    if list.count > MOST_FIELDS {
        let count = list.count;
        return Err(invalid(format!(
            "{argument}.count is {count}; at most {MOST_FIELDS} fields are taken; was it set?"
        )));
    }
    if list.items.is_null() && list.count > 0 {
        return Err(invalid(format!(
            "{argument}.items is NULL with count {}; NULL is allowed only with count 0",
            list.count
        )));
    }
    // and what a response gets besides, so that it does not grow for that
    map.reserve(list.count + ADDED);
    for i in 0..list.count {
        // SAFETY: item `i` of `count` (the caller's contract).
        unsafe { append(&mut map, list.items.add(i).read(), argument, i)? };
    }
    Ok(map)
}

/// # Safety
/// Name and value are as [`h2ws_str::bytes`] wants them.
unsafe fn append(map: &mut HeaderMap, field: h2ws_header, argument: &str, i: usize) -> Result<(), Error> {
    // SAFETY: the same contract.
    let (name, value) = unsafe {
        (
            field.name.bytes(format_args!("{argument}.items[{i}].name"))?,
            field.value.bytes(format_args!("{argument}.items[{i}].value"))?,
        )
    };
    let wrong_name = |_| {
        let shown = String::from_utf8_lossy(&name[..name.len().min(64)]);
        invalid(format!(
            "{argument}.items[{i}].name is {shown:?}, no field name (RFC 9110 §5.1); use letters, digits and -"
        ))
    };
    // The value is not shown: it may be a secret.
    let wrong_value = |_| {
        invalid(format!(
            "{argument}.items[{i}].value has a control character, which no field value may have (RFC 9110 §5.5); encode or remove it"
        ))
    };
    let name = HeaderName::from_bytes(name).map_err(wrong_name)?;
    map.append(name, HeaderValue::from_bytes(value).map_err(wrong_value)?);
    Ok(())
}

/// Calls `with` with a view of `map`. The array behind it is this thread's and is used again; a callback that comes
/// while another runs finds it taken and gets one of its own.
pub(super) fn with_header_views<R>(map: Option<&HeaderMap>, with: impl FnOnce(h2ws_headers) -> R) -> R {
    thread_local! {
        static VIEWS: std::cell::Cell<Vec<h2ws_header>> = const { std::cell::Cell::new(Vec::new()) };
    }
    let Some(map) = map else {
        return with(h2ws_headers { items: ptr::null(), count: 0 });
    };
    let mut views = VIEWS.try_with(std::cell::Cell::take).unwrap_or_default();
    views.clear();
    views.extend(map.iter().map(|(name, value)| h2ws_header {
        name: h2ws_str::of(name.as_str().as_bytes()),
        value: h2ws_str::of(value.as_bytes()),
    }));
    let result = with(h2ws_headers { items: views.as_ptr(), count: views.len() });
    let _ = VIEWS.try_with(|slot| slot.set(views));
    result
}

/// A struct that the host fills and that begins with its `size`, so that it can grow.
///
/// # Safety
/// `#[repr(C)]`, begins with a `usize`, any bytes that C can write and all zero bytes are a valid value, no padding.
pub(super) unsafe trait Versioned: Copy {
    /// Its name and its initialiser's, for texts.
    const NAME: &'static str;
    /// As above.
    const INIT: &'static str;
    /// Its size in 0.1.0, which stays when the struct grows.
    const FIRST_SIZE: usize;
}

/// No struct of ours will ever be so large; a `size` beyond it was never set.
const LARGEST_STRUCT: usize = 4096;

/// The `size` of the struct at `pointer`, checked.
///
/// # Safety
/// `pointer` is NULL or points to a `usize`.
pub(super) unsafe fn checked_size<T: Versioned>(pointer: *const T, argument: &str) -> Result<usize, Error> {
    if pointer.is_null() {
        return Err(invalid(format!("{argument} is NULL; pass a {}", T::NAME)));
    }
    // SAFETY: not NULL, so a `usize` is there. Unaligned, as nothing is known of the host's allocator.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    if !(T::FIRST_SIZE..=LARGEST_STRUCT).contains(&size) {
        let least = T::FIRST_SIZE;
        return Err(invalid(format!(
            "{argument}->size is {size}; it must be at least {least}: initialise it with {}",
            T::INIT
        )));
    }
    Ok(size)
}

/// The struct at `pointer`; fields that its `size` does not reach are 0.
///
/// # Safety
/// `pointer` is NULL or points to `size` readable bytes, `size` being its first field.
pub(super) unsafe fn read_versioned<T: Versioned>(pointer: *const T, argument: &str) -> Result<T, Error> {
    // SAFETY: the same contract; a struct begins with its `usize`.
    let size = unsafe { checked_size(pointer, argument)? };
    let ours = size_of::<T>();
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: at most `size` bytes are read and at most `ours` written; all-zero bytes and whatever C writes are a valid
    // `T` (contract of `Versioned`).
    let (value, newer) = unsafe {
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast(), size.min(ours));
        let newer = std::slice::from_raw_parts(pointer.cast::<u8>().add(size.min(ours)), size.saturating_sub(ours));
        (value.assume_init(), newer)
    };
    if let Some(i) = newer.iter().position(|&byte| byte != 0) {
        return Err(invalid(format!(
            "{argument}->size is {size} and byte {} is not 0, but this library ({}) knows {ours} bytes: leave newer fields 0 or \
             use a newer library",
            ours + i,
            env!("CARGO_PKG_VERSION"),
        )));
    }
    Ok(value)
}

/// A flag of a struct or call.
pub(super) fn flag(value: i32, argument: &str) -> Result<bool, Error> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(invalid(format!("{argument} is {value}; it must be 0 or 1"))),
    }
}

/// A field that is there so that the struct has no padding.
pub(super) fn reserved(value: i32, argument: &str) -> Result<(), Error> {
    if value == 0 {
        return Ok(());
    }
    Err(invalid(format!("{argument} is {value}; it must be 0")))
}

/// [`Status::InvalidArgument`] with a text.
pub(super) fn invalid(text: String) -> Error {
    Error::new(Status::InvalidArgument, text)
}
