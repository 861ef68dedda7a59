//! The layers `proto <- engine <- host <- ffi`: each uses those to its left only.

use std::path::{Path, PathBuf};

const LAYERS: [&str; 4] = ["proto", "engine", "host", "ffi"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{} can be read: {e}", folder.display())) {
        let path = entry.expect("can be listed").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Path below `src`, number and text of each line of code; comments are left out.
fn code(folder: &str) -> Vec<(String, usize, String)> {
    let (root, mut paths, mut lines) = (source(), Vec::new(), Vec::new());
    files(&root.join(folder), &mut paths);
    for path in paths {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("is text");
        for (i, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            lines.push((name.clone(), i + 1, code.to_owned()));
        }
    }
    assert!(!lines.is_empty(), "src/{folder} has code");
    lines
}

/// What stands behind each `prefix` in `line`, if `prefix` is a word of its own.
fn after<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    let own = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    line.match_indices(prefix).filter(|(at, _)| own(*at)).map(|(at, _)| &line[at + prefix.len()..]).collect()
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// `crate::{a::b, c}` names a and c; `crate::a` names a. Names at the root are those of `host`, which re-exports them.
fn names(path: &str) -> Vec<&str> {
    let Some(list) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (i, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(word(list[start..i].trim()));
                start = i + 1;
                if c == '}' {
                    return parts;
                }
            }
            _ => {}
        }
    }
    // The list goes on in the next line.
    parts.push(word(list[start..].trim()));
    parts
}

#[test]
fn each_layer_uses_those_to_its_left_only() {
    for (i, layer) in LAYERS.iter().enumerate() {
        // `ffi` is thin: it knows the host API alone, as the other bindings do.
        let allowed = if *layer == "ffi" { &LAYERS[2..] } else { &LAYERS[..=i] };
        for (file, number, line) in code(layer) {
            for name in after(&line, "crate::").into_iter().flat_map(names).filter(|name| !name.is_empty()) {
                let layer_of_name = if LAYERS.contains(&name) { name } else { "host" };
                assert!(
                    allowed.contains(&layer_of_name),
                    "src/{file}:{number} uses crate::{name}: {layer} may use {allowed:?} only"
                );
            }
        }
    }
}

/// The JNI binding is a sibling of `ffi`: it stands on the host API, never on the C ABI.
#[test]
fn the_jni_binding_uses_the_host_api_alone() {
    for (file, number, line) in code("../bindings/jni/src") {
        for name in ["h2ws::ffi", "h2ws::proto", "h2ws_sys"] {
            assert!(!line.contains(name), "{file}:{number} uses {name}: the binding stands on the host API alone");
        }
    }
}

#[test]
fn unsafe_code_is_in_the_c_abi_only() {
    for layer in ["proto", "engine", "host"] {
        for (file, number, line) in code(layer) {
            assert!(after(&line, "unsafe ").is_empty(), "src/{file}:{number} has unsafe code; it belongs into src/ffi");
        }
    }
}

#[test]
fn the_h2_crate_is_named_in_one_module() {
    for layer in LAYERS {
        for (file, number, line) in code(layer) {
            let inside = file == "engine/http2.rs" || file.starts_with("engine/http2/");
            let named = !after(&line, "h2::").is_empty() || line.trim() == "use h2;";
            assert!(inside || !named, "src/{file}:{number} names the h2 crate; only src/engine/http2 may");
        }
    }
}

#[test]
fn the_protocols_know_no_runtime_no_socket_and_no_clock() {
    for (file, number, line) in code("proto") {
        for name in ["tokio::", "socket2::", "std::net", "std::os", "std::thread", "Instant::now", "SystemTime"] {
            assert!(after(&line, name).is_empty(), "src/{file}:{number} uses {name}: proto works on bytes alone");
        }
    }
}

#[test]
fn this_test_sees_what_it_forbids() {
    assert_eq!(after("use crate::ffi::guard; other_crate::x", "crate::"), ["ffi::guard; other_crate::x"]);
    assert_eq!(names("{host::{A, B}, engine, C}; x, y"), ["host", "engine", "C"]);
    assert_eq!(names("ffi::guard;"), ["ffi"]);
    assert_eq!(after("let x = h2::Reason; hh2::y; a::h2::z", "h2::").len(), 1, "paths and longer names are not h2");
}
