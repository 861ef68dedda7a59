//! The shared library exports what `tests/abi_symbols.txt` lists and nothing else, and has its SONAME.

use std::path::PathBuf;
use std::process::Command;

/// The shared library that cargo built with this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let path = test.with_file_name("libh2ws.so");
    assert!(path.exists(), "{} is there: cargo builds all of the library's crate types", path.display());
    path
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?} can be run (binutils): {e}"));
    assert!(output.status.success(), "{command:?} ends with success");
    String::from_utf8(output.stdout).expect("its output is text")
}

#[test]
fn the_exported_symbols_are_those_of_the_list() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/abi_symbols.txt");
    let output = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library()));
    let mut made: Vec<&str> = output.lines().filter_map(|line| line.split(' ').next_back()).collect();
    made.sort_unstable();
    if std::env::var_os("H2WS_BLESS").is_some() {
        std::fs::write(path, made.join("\n") + "\n").expect("the list can be written");
    }
    let list = std::fs::read_to_string(path).unwrap_or_default();
    let listed: Vec<&str> = list.lines().collect();
    let gone: Vec<_> = listed.iter().filter(|name| !made.contains(name)).collect();
    let new: Vec<_> = made.iter().filter(|name| !listed.contains(name)).collect();
    assert!(gone.is_empty(), "no longer exported, which breaks programs: {gone:?}");
    assert!(new.is_empty(), "exported and not listed: {new:?}; run: H2WS_BLESS=1 cargo test --test abi_symbols");
    assert!(made.iter().all(|name| name.starts_with("h2ws_")), "every export begins with h2ws_: {made:?}");
}

#[test]
fn the_header_declares_what_is_exported() {
    let header = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/include/h2ws.h")).expect("is there");
    for name in include_str!("abi_symbols.txt").lines() {
        assert!(header.contains(&format!("{name}(")), "include/h2ws.h declares {name}");
    }
}

#[test]
fn the_shared_library_has_its_soname() {
    let output = run(Command::new("readelf").arg("-d").arg(library()));
    let soname = output.lines().find(|line| line.contains("(SONAME)")).unwrap_or_default();
    assert!(soname.ends_with("[libh2ws.so.0]"), "SONAME is libh2ws.so.0: {soname:?}");
}
