//! The version of the library that runs, which need not be that of the header that was compiled.

use std::ffi::{CStr, c_char};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(text) => text,
    Err(_) => panic!("a version has no NUL inside"),
};

/// The version of the library, as `H2WS_VERSION` is that of the header. NUL-terminated, valid as long as the library
/// is loaded; do not free it. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub extern "C" fn h2ws_version() -> *const c_char {
    VERSION.as_ptr()
}
