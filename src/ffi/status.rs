//! `h2ws_status`: the outcome of a call, and its text.

use super::guard;
use crate::host::Status;
use std::ffi::{CStr, CString, c_char};
use std::sync::LazyLock;

/// The outcome of a call: H2WS_OK, or a negative H2WS_* number. Numbers are only ever appended.
pub type h2ws_status = i32;

/// The call did what it says.
pub const H2WS_OK: h2ws_status = 0;
/// An argument is missing, of the wrong size or out of its range.
pub const H2WS_INVALID_ARGUMENT: h2ws_status = -1;
/// A configuration field is out of its range; the text names the field, its value and the range.
pub const H2WS_INVALID_CONFIG: h2ws_status = -2;
/// Bytes that must be text are not UTF-8.
pub const H2WS_NOT_UTF8: h2ws_status = -3;
/// The stream is not in a state in which this can be done, say a message before `h2ws_accept`.
pub const H2WS_WRONG_STATE: h2ws_status = -4;
/// The call blocks and was made inside a callback.
pub const H2WS_WRONG_THREAD: h2ws_status = -5;
/// A header block, close reason or control payload is longer than the protocol allows.
pub const H2WS_TOO_LARGE: h2ws_status = -6;
/// The stream, connection or listener has ended, or never was.
pub const H2WS_GONE: h2ws_status = -20;
/// A queue is at its cap and nothing was taken; `on_writable` follows.
pub const H2WS_BUSY: h2ws_status = -21;
/// The engine is draining or has stopped.
pub const H2WS_SHUTTING_DOWN: h2ws_status = -22;
/// An operating system call failed; the text has its error.
pub const H2WS_IO: h2ws_status = -60;
/// The address is in use by somebody else; the text has it.
pub const H2WS_ADDRESS_IN_USE: h2ws_status = -61;
/// The descriptor is no connected TCP or UNIX stream socket.
pub const H2WS_NOT_A_SOCKET: h2ws_status = -62;
/// Certificates or keys cannot be used; the text names the file and the reason.
pub const H2WS_TLS: h2ws_status = -63;
/// A bug in h2ws was caught; the call did nothing more.
pub const H2WS_PANIC: h2ws_status = -99;

/// Writes the text of this thread's last failed call into `buffer`: the function's name, what happened, with which
/// value, and what to do. A call that succeeds leaves it as it was; before the first failure it is empty.
///
/// Writes at most `capacity` bytes, a terminating NUL included, and cuts between characters; `buffer` may be NULL to
/// learn the length. Returns the length of the whole text without the NUL. Any thread, also inside a callback; does
/// not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_last_error(buffer: *mut c_char, capacity: usize) -> usize {
    guard::shielded(0, || {
        let text = guard::last_error();
        // SAFETY: the caller gives `capacity` writable bytes, or NULL (its contract, above).
        unsafe { copy_text(&text, buffer, capacity) };
        text.len()
    })
}

/// A sentence about a status, for when there is no better one. NUL-terminated, never NULL, valid as long as the
/// library is loaded; do not free it. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub extern "C" fn h2ws_status_text(status: h2ws_status) -> *const c_char {
    guard::shielded(c"unknown status".as_ptr(), || text_of(status).as_ptr())
}

/// The texts of [`Status::ALL`], NUL-terminated as C wants them.
static TEXTS: LazyLock<Vec<(i32, CString)>> =
    LazyLock::new(|| Status::ALL.iter().map(|s| (s.code(), CString::new(s.text()).unwrap_or_default())).collect());

fn text_of(status: h2ws_status) -> &'static CStr {
    match TEXTS.iter().find(|(code, _)| *code == status) {
        Some((_, text)) => text,
        None if status == H2WS_OK => c"ok",
        None => c"unknown status",
    }
}

/// Copies as much of `text` as fits with a NUL after it, and no half character.
///
/// # Safety
/// `buffer` is NULL or has `capacity` writable bytes.
pub(super) unsafe fn copy_text(text: &str, buffer: *mut c_char, capacity: usize) {
    if buffer.is_null() || capacity == 0 {
        return;
    }
    let most = text.len().min(capacity - 1);
    let fits = (0..=most).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0);
    // SAFETY: `fits` is less than `capacity`, so all bytes and the NUL lie in the buffer; it cannot overlap `text`, which
    // is ours.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr().cast(), fits);
        buffer.add(fits).write(0);
    }
}

// cbindgen wants numbers; these keep them those of `Status`.
const _: () = {
    let numbers = [
        (H2WS_INVALID_ARGUMENT, Status::InvalidArgument),
        (H2WS_INVALID_CONFIG, Status::InvalidConfig),
        (H2WS_NOT_UTF8, Status::NotUtf8),
        (H2WS_WRONG_STATE, Status::WrongState),
        (H2WS_WRONG_THREAD, Status::WrongThread),
        (H2WS_TOO_LARGE, Status::TooLarge),
        (H2WS_GONE, Status::Gone),
        (H2WS_BUSY, Status::Busy),
        (H2WS_SHUTTING_DOWN, Status::ShuttingDown),
        (H2WS_IO, Status::Io),
        (H2WS_ADDRESS_IN_USE, Status::AddressInUse),
        (H2WS_NOT_A_SOCKET, Status::NotASocket),
        (H2WS_TLS, Status::Tls),
        (H2WS_PANIC, Status::Panic),
    ];
    assert!(numbers.len() == Status::ALL.len(), "a status has no H2WS_ constant");
    let mut i = 0;
    while i < numbers.len() {
        assert!(numbers[i].0 == numbers[i].1.code(), "an H2WS_ constant is not the number of its Status");
        i += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_own_text() {
        for status in Status::ALL {
            assert_eq!(text_of(status.code()).to_str(), Ok(status.text()), "text of {status:?}");
        }
        assert_eq!(text_of(H2WS_OK), c"ok");
        assert_eq!(text_of(7), c"unknown status");
    }

    #[test]
    fn text_is_cut_between_characters_and_terminated() {
        let mut buffer = [1 as c_char; 8];
        for (capacity, expected) in [(1, ""), (2, "a"), (3, "a"), (4, "aß"), (8, "aßc")] {
            buffer.fill(1);
            // SAFETY: `capacity` is at most the length of the buffer.
            unsafe { copy_text("aßc", buffer.as_mut_ptr(), capacity) };
            // SAFETY: the text was terminated inside the buffer, or the assertion below reads a wrong but ended string:
            // the last byte is set here.
            let written = unsafe {
                *buffer.last_mut().expect("has 8") = 0;
                CStr::from_ptr(buffer.as_ptr())
            };
            assert_eq!(written.to_str(), Ok(expected), "capacity {capacity}");
        }
    }

    #[test]
    fn no_capacity_writes_nothing() {
        let mut byte: c_char = 7;
        // SAFETY: nothing is written with a capacity of 0 or without a buffer.
        unsafe {
            copy_text("text", &raw mut byte, 0);
            copy_text("text", std::ptr::null_mut(), 9);
        }
        assert_eq!(byte, 7, "the byte is as it was");
    }
}
