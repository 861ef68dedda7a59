//! Everything in `include/h2ws.h` is documented, in the words that the manual page promises.

use h2ws::{Config, FIELDS, Stats};

fn header() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/include/h2ws.h")).expect("include/h2ws.h is there")
}

/// A declaration and the comment right above it, empty if there is none.
struct Item {
    comment: String,
    code: String,
}

/// Every define, typedef, struct, field and function, in order.
fn items(header: &str) -> Vec<Item> {
    let (mut items, mut comment, mut in_comment, mut code) = (Vec::new(), String::new(), false, String::new());
    // The manual page at the top is no item's comment.
    let start = header.find("#define H2WS_H\n").expect("has an include guard") + "#define H2WS_H\n".len();
    for line in header[start..].lines().map(str::trim) {
        if code.is_empty() && (in_comment || line.starts_with("/*")) {
            if !in_comment {
                comment.clear();
            }
            comment.push_str(line.trim_start_matches("/**").trim_start_matches("* ").trim_end_matches("*/").trim());
            comment.push(' ');
            in_comment = !line.ends_with("*/");
        } else if line.starts_with("#ifdef") || line.starts_with("#else") {
            // Both halves are of the comment above.
        } else if line.is_empty() || line.starts_with('#') && !line.starts_with("#define") || line.starts_with('}') {
            comment.clear();
        } else {
            code.push_str(line);
            code.push(' ');
            if line.starts_with("#define") || line.ends_with(';') || line.ends_with('{') {
                items.push(Item { comment: comment.clone(), code: std::mem::take(&mut code).trim().to_owned() });
                if line.ends_with(';') || line.ends_with('{') {
                    comment.clear();
                }
            }
        }
    }
    items
}

fn is_function(item: &Item) -> bool {
    item.code.ends_with(");") && item.code.contains("h2ws_") && !item.code.contains("(*")
}

/// The fields of a struct, by name, with their comments.
fn fields(header: &str, name: &str) -> Vec<(String, String)> {
    let start = header.find(&format!("typedef struct {name} {{")).unwrap_or_else(|| panic!("{name} is there"));
    let body = &header[start..start + header[start..].find("\n}").expect("ends")];
    let all = items(&format!("#define H2WS_H\n{}", &body[body.find('{').expect("begins") + 1..]));
    let word = |code: &str| code.trim_end_matches(';').rsplit([' ', '*']).next().expect("has a name").to_owned();
    all.into_iter().map(|item| (word(&item.code), item.comment)).collect()
}

#[test]
fn every_item_has_a_comment() {
    let header = header();
    let items = items(&header);
    let internal = |code: &str| {
        ["#define H2WS_INITIALISER", "extern \"C\"", "template ", "constexpr ", "T value", "value.", "return "]
            .iter()
            .any(|start| code.starts_with(start))
    };
    let bare: Vec<&str> =
        items.iter().filter(|i| i.comment.trim().len() < 2 && !internal(&i.code)).map(|i| &*i.code).collect();
    assert!(bare.is_empty(), "without a comment in include/h2ws.h: {bare:#?}");
    let functions =
        items.iter().filter(|i| i.code.contains("h2ws_") && i.code.ends_with(");") && !i.code.contains("(*"));
    let exported = include_str!("abi_symbols.txt").lines().count();
    assert_eq!(functions.count(), exported, "this test has seen every function");
    assert!(items.iter().filter(|i| i.code.starts_with("#define")).count() > 40, "this test has seen the constants");
}

#[test]
fn every_function_says_who_may_call_it_and_whether_it_blocks() {
    let header = header();
    for item in items(&header).iter().filter(|i| is_function(i)) {
        let comment = item.comment.to_lowercase();
        assert!(comment.contains("block"), "says whether it blocks: {}", item.code);
        let threads = ["any thread", "inside `on_request`", "no other thread"];
        assert!(threads.iter().any(|words| comment.contains(words)), "says which threads may call it: {}", item.code);
    }
}

#[test]
fn the_configuration_documents_its_defaults_and_ranges() {
    let fields = fields(&header(), "h2ws_config");
    let names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
    let expected: Vec<&str> = std::iter::once("size")
        .chain(FIELDS.iter().map(|f| f.0))
        .chain(["fallback", "deflate", "deflate_server_takeover", "deflate_client_takeover"])
        .collect();
    assert_eq!(names, expected, "the fields of h2ws_config are those of Config, in its order");
    for (name, field, least, most) in FIELDS.iter().skip(1) {
        let default = *field(&mut Config::default());
        let words = format!("Default {default}; {least} to {most}.");
        let (_, comment) = fields.iter().find(|(n, _)| n == name).expect("was found above");
        assert!(comment.trim_end().ends_with(&words), "{name} says: {words}\nbut: {comment}");
    }
    assert!(fields[1].1.trim_end().ends_with("; 1 to 64."), "loops says its range: {}", fields[1].1);
}

#[test]
fn the_statistics_are_those_of_the_host_layer() {
    let names: Vec<String> = fields(&header(), "h2ws_stats").into_iter().map(|(name, _)| name).skip(1).collect();
    let expected: Vec<&str> = Stats::default().fields().map(|(name, _)| name).collect();
    assert_eq!(names, expected, "the fields of h2ws_stats are those of Stats, in its order");
}
