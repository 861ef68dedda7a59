//! `include/h2ws.h` is what cbindgen makes of `src/ffi` today.

use std::path::{Path, PathBuf};

/// The order is that of the header's sections.
const SOURCES: [&str; 16] = [
    "version",
    "status",
    "view",
    "config",
    "tls",
    "event",
    "callbacks",
    "engine",
    "run",
    "listener",
    "connection",
    "duplex",
    "stream",
    "websocket",
    "request",
    "stats",
];
/// What has no section: the page itself and what nothing is exported from.
const OTHERS: [&str; 2] = ["mod", "guard"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The manual page, the `//!` lines of `src/ffi/mod.rs`, as a C comment, without the sentence on how it is made.
fn manual() -> String {
    let source = std::fs::read_to_string(root().join("src/ffi/mod.rs")).expect("src/ffi/mod.rs is there");
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text: String = lines.skip_while(|line| !line.starts_with(" # ")).map(|line| format!(" *{line}\n")).collect();
    assert!(!text.is_empty(), "src/ffi/mod.rs has a manual page that begins with a heading");
    format!(
        "/*\n * h2ws: WebSockets over HTTP/2 (RFC 8441), and ordinary requests beside them.\n *\n * Generated from \
         src/ffi: edit there, then run `make header`.\n *\n{text} */"
    )
}

fn version_macros() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (major, minor, patch) =
        (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH"));
    format!(
        "\n/** The version of this header; `h2ws_version` gives the library's. */\n#define H2WS_VERSION \"{version}\"\n\
         /** Its first number. */\n#define H2WS_VERSION_MAJOR {major}\n\
         /** Its second number. */\n#define H2WS_VERSION_MINOR {minor}\n\
         /** Its third number. */\n#define H2WS_VERSION_PATCH {patch}"
    )
}

fn generate() -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is valid");
    config.header = Some(manual());
    let written = config.after_includes.take().expect("cbindgen.toml has after_includes");
    config.after_includes = Some(version_macros() + "\n" + written.trim_end());
    let sources = SOURCES.iter();
    let builder = sources.fold(cbindgen::Builder::new().with_config(config), |builder, name| {
        builder.with_src(root().join(format!("src/ffi/{name}.rs")))
    });
    let mut header = Vec::new();
    builder.generate().expect("cbindgen reads src/ffi").write(&mut header);
    tidied(&String::from_utf8(header).expect("the header is text"))
}

/// What cbindgen has no setting for: comments of one sentence on one line, negative numbers in parentheses.
fn tidied(header: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in header.lines() {
        lines.push(match line.split(' ').collect::<Vec<_>>()[..] {
            ["#define", name, number] if number.starts_with('-') => format!("#define {name} ({number})"),
            _ => line.to_owned(),
        });
        if let [.., open, text, close] = &lines[..]
            && (open.trim_start(), close.trim_start()) == ("/**", "*/")
            && let Some(words) = text.trim_start().strip_prefix('*')
            && text.len() < 110
        {
            let one = format!("{open}{words} */");
            lines.truncate(lines.len() - 3);
            lines.push(one);
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_header_is_in_step() {
    let path: PathBuf = root().join("include/h2ws.h");
    let made = generate();
    if std::env::var_os("H2WS_BLESS").is_some() {
        std::fs::write(&path, &made).expect("include/h2ws.h can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let first = made.lines().zip(there.lines()).position(|(a, b)| a != b);
    assert!(
        made == there,
        "include/h2ws.h differs from src/ffi from line {} on; run: make header\n  (that is: H2WS_BLESS=1 cargo test --test header_sync)",
        first.unwrap_or(made.lines().count().min(there.lines().count())) + 1
    );
}

#[test]
fn every_file_of_ffi_is_in_the_header_or_known_to_be_outside() {
    let mut files: Vec<String> = std::fs::read_dir(root().join("src/ffi"))
        .expect("src/ffi is there")
        .map(|entry| entry.expect("can be listed").path())
        .map(|path| path.file_stem().expect("has a name").to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut expected: Vec<&str> = SOURCES.iter().chain(&OTHERS).copied().collect();
    expected.sort_unstable();
    assert_eq!(files, expected, "name a new file of src/ffi in SOURCES or OTHERS of tests/header_sync.rs");
}
