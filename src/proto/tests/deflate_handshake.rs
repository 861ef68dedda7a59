//! The handshake of permessage-deflate (RFC 7692 §5, §7.1), row by row.

use crate::proto::deflate::{Agreed, Terms, offer};
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue};

/// What a server allows that limits nothing.
const ALL: Terms = Terms { server_bits: 15, client_bits: 15, server_takeover: true, client_takeover: true };
/// The configuration's default.
const SHARED: Terms = Terms { server_takeover: false, client_takeover: false, ..ALL };
const SMALL: Terms = Terms { server_bits: 10, client_bits: 11, ..ALL };

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_bytes(line.as_bytes()).expect("a header value"));
    }
    headers
}

fn agree(lines: &[&str], terms: &Terms) -> Option<(String, Agreed)> {
    let (answer, agreed) = offer(&headers(lines))?.agree(terms);
    Some((answer.to_str().expect("ASCII").to_owned(), agreed))
}

/// The answer to one line.
fn answer(line: &str, terms: &Terms) -> Option<String> {
    agree(&[line], terms).map(|(answer, _)| answer)
}

#[track_caller]
fn rows(terms: &Terms, rows: &[(&str, Option<&str>)]) {
    for (offer, expected) in rows {
        assert_eq!(answer(offer, terms).as_deref(), *expected, "the answer to {offer:?}");
    }
}

#[test]
fn rfc7692_5_1_no_offer_no_answer() {
    assert_eq!(agree(&[], &ALL), None);
    rows(&ALL, &[("", None), (",", None), ("x-webkit-deflate-frame", None), ("permessage-bzip2, foo; a=b", None)]);
}

#[test]
fn rfc7692_7_1_the_plain_offer() {
    rows(
        &ALL,
        &[("permessage-deflate", Some("permessage-deflate")), (" ,permessage-deflate ,", Some("permessage-deflate"))],
    );
    let (_, agreed) = agree(&["permessage-deflate"], &ALL).expect("accepted");
    assert_eq!(agreed, Agreed { server_bits: 15, client_bits: 15, server_takeover: true, client_takeover: true });
}

#[test]
fn rfc7692_7_1_names_are_compared_as_they_are() {
    rows(&ALL, &[("Permessage-Deflate", None), ("permessage-deflate; Server_No_Context_Takeover", None)]);
}

#[test]
fn rfc7692_7_1_1_1_server_no_context_takeover_is_answered_with_itself() {
    rows(
        &ALL,
        &[
            ("permessage-deflate; server_no_context_takeover", Some("permessage-deflate; server_no_context_takeover")),
            ("permessage-deflate; server_no_context_takeover=1", None),
            ("permessage-deflate; server_no_context_takeover=\"\"", None),
            ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ],
    );
    let (_, agreed) = agree(&["permessage-deflate; server_no_context_takeover"], &ALL).expect("accepted");
    assert!(!agreed.server_takeover && agreed.client_takeover, "{agreed:?}");
}

#[test]
fn rfc7692_7_1_1_2_client_no_context_takeover_is_answered_with_itself() {
    rows(
        &ALL,
        &[
            ("permessage-deflate; client_no_context_takeover", Some("permessage-deflate; client_no_context_takeover")),
            ("permessage-deflate; client_no_context_takeover=true", None),
            ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", None),
        ],
    );
    let (_, agreed) = agree(&["permessage-deflate; client_no_context_takeover"], &ALL).expect("accepted");
    assert!(agreed.server_takeover && !agreed.client_takeover, "{agreed:?}");
}

#[test]
fn rfc7692_7_1_1_a_server_may_rule_out_takeover_without_having_been_offered_it() {
    const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    rows(&SHARED, &[("permessage-deflate", Some(BOTH)), (BOTH, Some(BOTH))]);
    let (_, agreed) = agree(&["permessage-deflate"], &SHARED).expect("accepted");
    assert!(!agreed.server_takeover && !agreed.client_takeover, "{agreed:?}");
}

#[test]
fn rfc7692_7_1_2_1_an_offered_server_window_is_answered_with_the_same_or_a_smaller_one() {
    rows(
        &ALL,
        &[
            ("permessage-deflate; server_max_window_bits=15", Some("permessage-deflate; server_max_window_bits=15")),
            ("permessage-deflate; server_max_window_bits=10", Some("permessage-deflate; server_max_window_bits=10")),
            ("permessage-deflate; server_max_window_bits=9", Some("permessage-deflate; server_max_window_bits=9")),
        ],
    );
    rows(
        &SMALL,
        &[
            ("permessage-deflate; server_max_window_bits=15", Some("permessage-deflate; server_max_window_bits=10")),
            ("permessage-deflate; server_max_window_bits=9", Some("permessage-deflate; server_max_window_bits=9")),
            // it may also be said without having been offered
            ("permessage-deflate", Some("permessage-deflate; server_max_window_bits=10")),
        ],
    );
}

#[test]
fn rfc7692_7_1_2_1_a_server_window_that_cannot_be_kept_to_is_declined() {
    // zlib's compressor has no window of 256 bytes
    rows(&ALL, &[("permessage-deflate; server_max_window_bits=8", None)]);
    let next = "permessage-deflate; server_max_window_bits=8, permessage-deflate";
    rows(&ALL, &[(next, Some("permessage-deflate"))]);
}

#[test]
fn rfc7692_7_1_2_1_a_server_window_is_a_number_from_8_to_15_without_leading_zeros() {
    for value in ["", "=", "=\"\"", "=7", "=16", "=99", "=015", "=09", "=+9", "=-9", "=1e1", "=0x9", "=9.0", "=15 15"] {
        let offer = format!("permessage-deflate; server_max_window_bits{value}");
        assert_eq!(answer(&offer, &ALL), None, "{offer:?}");
    }
}

#[test]
fn rfc7692_7_1_2_2_a_client_window_is_answered_only_if_it_was_offered() {
    rows(
        &SMALL,
        &[("permessage-deflate; server_max_window_bits=9", Some("permessage-deflate; server_max_window_bits=9"))],
    );
    let (_, agreed) = agree(&["permessage-deflate"], &SMALL).expect("accepted");
    assert_eq!(agreed.client_bits, 15, "a client that cannot be told may use any window");
}

#[test]
fn rfc7692_7_1_2_2_an_offered_client_window_is_answered_with_the_tighter_limit() {
    const SERVER: &str = "permessage-deflate; server_max_window_bits=10; client_max_window_bits=";
    for (offered, bits) in [("", 11), ("=15", 11), ("=11", 11), ("=9", 9), ("=8", 8), ("=\"10\"", 10)] {
        let offer = format!("permessage-deflate; client_max_window_bits{offered}");
        let (answer, agreed) = agree(&[&offer], &SMALL).expect("accepted");
        assert_eq!((answer, agreed.client_bits), (format!("{SERVER}{bits}"), bits), "{offer:?}");
    }
    // 15 is what holds without a word
    rows(
        &ALL,
        &[
            ("permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
            ("permessage-deflate; client_max_window_bits=15", Some("permessage-deflate")),
            ("permessage-deflate; client_max_window_bits=12", Some("permessage-deflate; client_max_window_bits=12")),
        ],
    );
}

#[test]
fn rfc7692_7_1_2_2_a_client_window_is_a_number_from_8_to_15_without_leading_zeros() {
    for value in ["=", "=\"\"", "=7", "=16", "=010", "=x", "=9; client_max_window_bits", "; client_max_window_bits=9"] {
        let offer = format!("permessage-deflate; client_max_window_bits{value}");
        assert_eq!(answer(&offer, &ALL), None, "{offer:?}");
    }
}

#[test]
fn rfc7692_7_1_unknown_and_repeated_parameters_are_declined() {
    rows(
        &ALL,
        &[
            ("permessage-deflate; foo", None),
            ("permessage-deflate; foo=1", None),
            ("permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", None),
            ("permessage-deflate;", None),
            ("permessage-deflate; ; client_max_window_bits", None),
            ("permessage-deflate server_no_context_takeover", None),
            ("permessage-deflate=1", None),
        ],
    );
}

#[test]
fn rfc7692_5_1_the_first_offer_that_can_be_honoured_is_taken() {
    rows(
        &ALL,
        &[
            ("permessage-deflate; foo, permessage-deflate; client_max_window_bits=9, permessage-deflate", {
                Some("permessage-deflate; client_max_window_bits=9")
            }),
            ("foo, permessage-deflate, permessage-deflate; server_max_window_bits=9", Some("permessage-deflate")),
        ],
    );
}

#[test]
fn rfc6455_9_1_all_lines_are_one_list() {
    let lines = ["foo; bar=\"x\"", "permessage-deflate; server_max_window_bits=7", "permessage-deflate"];
    assert_eq!(agree(&lines, &ALL).map(|(answer, _)| answer).as_deref(), Some("permessage-deflate"));
}

#[test]
fn rfc6455_9_1_a_quoted_value_is_the_same_as_a_token() {
    rows(
        &ALL,
        &[
            (
                "permessage-deflate; server_max_window_bits=\"10\"",
                Some("permessage-deflate; server_max_window_bits=10"),
            ),
            (
                "permessage-deflate; server_max_window_bits=\"1\\0\"",
                Some("permessage-deflate; server_max_window_bits=10"),
            ),
            ("permessage-deflate;server_max_window_bits = 10", Some("permessage-deflate; server_max_window_bits=10")),
            ("permessage-deflate; server_max_window_bits=\"10", None),
            ("permessage-deflate; server_max_window_bits=10\"", None),
            ("permessage-deflate; server_max_window_bits=\"1\"0\"", None),
            ("permessage-deflate; server_max_window_bits=\"10\\\"", None),
            ("permessage-deflate; server_max_window_bits=\" 10\"", None),
            // separators in quotes separate nothing
            ("foo; bar=\"a, permessage-deflate; b\"", None),
            ("foo; bar=\"a, \\\" b\", permessage-deflate", Some("permessage-deflate")),
        ],
    );
}

#[test]
fn what_is_no_text_is_declined() {
    let mut headers = headers(&["foo"]);
    let value = HeaderValue::from_bytes(b"permessage-deflate; server_max_window_bits=\xff").expect("obs-text");
    headers.append(SEC_WEBSOCKET_EXTENSIONS, value);
    assert_eq!(offer(&headers), None);
}
