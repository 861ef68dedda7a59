//! The version macros of `include/h2ws.h` are the version of `Cargo.toml`, whichever was changed last.

fn header_macro(name: &str) -> String {
    let header = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/include/h2ws.h")).expect("is there");
    let define = format!("#define {name} ");
    let found: Vec<&str> = header.lines().filter_map(|line| line.strip_prefix(&define)).collect();
    assert_eq!(found.len(), 1, "{name} is defined once");
    found[0].to_owned()
}

#[test]
fn the_macros_are_the_version_of_the_package() {
    for (name, expected) in [
        ("H2WS_VERSION", concat!("\"", env!("CARGO_PKG_VERSION"), "\"")),
        ("H2WS_VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("H2WS_VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("H2WS_VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        assert_eq!(header_macro(name), expected, "{name} is Cargo.toml's; run: make header");
    }
}
