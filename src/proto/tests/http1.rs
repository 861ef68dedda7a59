//! The framer says the same wherever its input is cut.

use crate::proto::http1::{Framer, Limits, Part, Refused};
use proptest::prelude::*;

const LIMITS: Limits = Limits { bytes: 1000, fields: 10 };

/// What a conversation is, with neighbouring parts of a body as one: each part with its bytes.
type Seen = Vec<(Part, Vec<u8>)>;

/// Feeds `input` in pieces that end at `cuts`.
fn feed(input: &[u8], cuts: &[usize]) -> (Seen, Option<Refused>) {
    let (mut framer, mut seen, mut at) = (Framer::default(), Seen::new(), 0);
    for end in cuts.iter().copied().chain([input.len()]) {
        loop {
            match framer.advance(&input[at..end], LIMITS) {
                Ok((Part::Cut, n)) => {
                    assert_eq!(n, 0, "what is not understood is not taken");
                    break;
                }
                Ok((part, n)) => {
                    assert!(n > 0, "{part:?} has bytes");
                    let bytes = &input[at..at + n];
                    match seen.last_mut() {
                        Some((Part::Body, body)) if part == Part::Body => body.extend_from_slice(bytes),
                        _ => seen.push((part, bytes.to_vec())),
                    }
                    at += n;
                }
                Err(refused) => return (seen, Some(refused)),
            }
        }
    }
    (seen, None)
}

const CONVERSATION: &str = "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n\
    POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
    POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\nwiki\r\n0A\r\n0123456789\r\n0\r\nT: 1\r\nU: 2\r\n\r\n\
    GET /d HTTP/1.0\r\n\r\n\
    GET /e HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

#[test]
fn a_conversation_is_the_same_at_each_pair_of_cuts() {
    let input = CONVERSATION.as_bytes();
    let (whole, refused) = feed(input, &[]);
    assert_eq!(refused, None);
    let parts: Vec<Part> = whole.iter().map(|(part, _)| *part).collect();
    let head = Part::Head { upgrade: false };
    assert_eq!(parts, [Part::Empty, head, head, Part::Body, head, Part::Body, head, Part::Head { upgrade: true }]);
    let all: Vec<u8> = whole.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(all, input, "nothing is lost");
    for a in 0..input.len() {
        for b in (a..input.len()).step_by(7) {
            assert_eq!(feed(input, &[a, b]), (whole.clone(), None), "cut at {a} and {b}");
        }
    }
    let bytes: Vec<usize> = (0..input.len()).collect();
    assert_eq!(feed(input, &bytes), (whole, None), "byte by byte");
}

#[test]
fn rfc9112_6_3_what_has_no_length_has_no_body() {
    for text in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.0\r\n\r\n",
    ] {
        let mut framer = Framer::default();
        assert_eq!(framer.advance(text.as_bytes(), LIMITS), Ok((Part::Head { upgrade: false }, text.len())));
        assert!(framer.between(), "{text}");
    }
}

#[test]
fn a_head_may_be_as_large_as_its_limit() {
    let head = |len: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(len));
    let room = LIMITS.bytes - head(0).len();
    assert!(Framer::default().advance(head(room).as_bytes(), LIMITS).is_ok());
    let refused = Framer::default().advance(head(room + 1).as_bytes(), LIMITS);
    assert_eq!(refused.map_err(|refused| refused.status), Err(431));
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("GET / HTTP/1.1\r\nHost: a\r\n".to_owned()),
        Just("Transfer-Encoding: chunked\r\n".to_owned()),
        Just("Content-Length: 3\r\n".to_owned()),
        Just("Upgrade: websocket\r\nConnection: upgrade\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("3\r\nabc\r\n".to_owned()),
        Just("0\r\n\r\n".to_owned()),
        Just(" folded\r\n".to_owned()),
        "[ -~\r\n]{0,12}",
    ]
}

proptest! {
    #[test]
    fn cuts_change_nothing(pieces in proptest::collection::vec(piece(), 0..12), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let input = pieces.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.sort_unstable();
        let (whole, refused) = feed(&input, &[]);
        let (cut, refused_too) = feed(&input, &cuts);
        prop_assert_eq!(cut, whole);
        prop_assert_eq!(refused_too.map(|r| r.status), refused.map(|r| r.status));
    }
}
