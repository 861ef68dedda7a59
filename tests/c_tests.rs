//! Builds the programs of `tests/c` with ASan and UBSan against the shared library and runs them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Every program, by the C type it tests. One test each, so that a failure names it.
macro_rules! c_tests {
    ($($name:ident),* $(,)?) => {
        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*
    };
}

c_tests!(
    callbacks_test,
    config_test,
    connection_test,
    duplex_test,
    engine_test,
    listener_test,
    misuse_test,
    request_test,
    run_test,
    stats_test,
    status_test,
    stream_test,
    tls_test,
    websocket_test,
);

/// Where the programs are, built once for all tests.
fn programs() -> &'static Path {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let library = std::env::current_exe().expect("a test has a path").with_file_name("libh2ws.so");
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-tests");
        let made = Command::new("make")
            .args(["-s", "-j2", "-f", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/Makefile"), "build"])
            .arg(format!("LIB={}", library.display()))
            .arg(format!("OUT={}", out.display()))
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make can be run");
        if made.status.success() {
            Ok(out.join("sanitized"))
        } else {
            Err(String::from_utf8_lossy(&made.stderr).into())
        }
    });
    built.as_ref().unwrap_or_else(|why| panic!("the C tests compile:\n{why}"))
}

fn run(name: &str) {
    let output = Command::new(programs().join(name))
        .env("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=23")
        .env("UBSAN_OPTIONS", "print_stacktrace=1")
        .output()
        .expect("the program was built");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    print!("{out}");
    assert!(output.status.success(), "{name} ends with success, not {}:\n{out}\n{err}", output.status);
    assert!(out.trim_end().ends_with(" passed, 0 failed"), "{name} ends with its count:\n{out}");
}

#[test]
fn every_program_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .expect("tests/c is there")
        .filter_map(|entry| entry.expect("can be listed").file_name().to_str()?.strip_suffix(".c").map(str::to_owned))
        .filter(|name| name.ends_with("_test"))
        .collect();
    there.sort();
    assert_eq!(there, PROGRAMS, "name a new file of tests/c in tests/c_tests.rs");
}

/// A compiler that drops -fsanitize silently would make these tests much weaker.
#[test]
fn the_programs_are_sanitized() {
    let output = Command::new("nm").arg(programs().join(PROGRAMS[0])).output().expect("nm can be run (binutils)");
    let symbols = String::from_utf8_lossy(&output.stdout);
    for symbol in ["__asan_init", "__ubsan_handle"] {
        assert!(symbols.contains(symbol), "{symbol} is linked into {}", PROGRAMS[0]);
    }
}

/// The header stands alone, twice, in each language and with each compiler that is there.
#[test]
fn the_header_compiles_alone_in_c99_and_cpp17() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
    std::fs::create_dir_all(&folder).expect("can be made");
    let source = "#include \"h2ws.h\"\n#include \"h2ws.h\"\n\
        int use(void);\n\
        int use(void) {\n  h2ws_config a = H2WS_CONFIG_INIT; h2ws_callbacks b = H2WS_CALLBACKS_INIT;\n  \
        h2ws_stats c = H2WS_STATS_INIT; h2ws_accept_options d = H2WS_ACCEPT_OPTIONS_INIT;\n  \
        h2ws_listen_options e = H2WS_LISTEN_OPTIONS_INIT; h2ws_adopt_options f = H2WS_ADOPT_OPTIONS_INIT;\n  \
        h2ws_str g = H2WS_STR(\"text\");\n  \
        return (int)(a.size + b.size + c.size + d.size + e.size + f.size + g.len) + h2ws_send(NULL, 1, H2WS_TEXT, H2WS_STR(\"x\"));\n}\n";
    for (compiler, file, standard) in [("cc", "alone.c", "-std=c99"), ("c++", "alone.cpp", "-std=c++17")] {
        let path = folder.join(file);
        std::fs::write(&path, source).expect("can be written");
        let output = Command::new(compiler)
            .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"])
            .arg(concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include"))
            .arg(&path)
            .output()
            .unwrap_or_else(|e| panic!("{compiler} can be run: {e}"));
        assert!(output.status.success(), "{compiler} {standard}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
