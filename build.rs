//! Gives the shared library its SONAME, which Rust does not, and tells dependent build scripts where the header is.
//! Writes nothing: `include/h2ws.h` is committed, and `tests/header_sync.rs` keeps it.

use std::env;

/// The version of the ABI: goes up when a struct or function changes in a way that old programs would not survive.
const ABI: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if linux {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libh2ws.so.{ABI}");
    }
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for every build script");
    println!("cargo:include={root}/include");
}
