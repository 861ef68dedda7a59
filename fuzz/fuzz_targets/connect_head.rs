//! A request head to the RFC 8441 rules, and a host's answer to the rules for the response.
//!
//! Input: lines. `M` method, `U` URI, `P` :protocol, `E` END_STREAM, `H` name:value of the request,
//! `A` name:value of the answer, `S` the subprotocol that the host chooses.

#![no_main]

use h2ws::proto::connect::{Opening, Refusal, accept_headers, open, response_headers};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

const NEVER_OVER_HTTP2: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"];

fn add(headers: &mut HeaderMap, line: &[u8]) {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
    let name = HeaderName::from_bytes(&line[..colon]);
    let value = HeaderValue::from_bytes(&line[colon + 1..]);
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.append(name, value);
    }
}

fuzz_target!(|data: &[u8]| {
    let mut method = Method::CONNECT;
    let mut uri = Uri::from_static("https://server.example.com/chat");
    let mut protocol = Some("websocket");
    let mut end_stream = false;
    let mut request = HeaderMap::new();
    let mut answer = HeaderMap::new();
    let mut chosen = None;
    for line in data.split(|byte| *byte == b'\n') {
        let Some((kind, line)) = line.split_first() else { continue };
        match kind {
            b'M' => method = Method::from_bytes(line).unwrap_or(method),
            b'U' => uri = Uri::try_from(line).unwrap_or(uri),
            b'P' => protocol = std::str::from_utf8(line).ok().filter(|protocol| !protocol.is_empty()),
            b'E' => end_stream = true,
            b'H' => add(&mut request, line),
            b'A' => add(&mut answer, line),
            b'S' => chosen = std::str::from_utf8(line).ok(),
            _ => {}
        }
    }

    let offered = match open(&method, &uri, &request, protocol, end_stream) {
        Ok(Opening::Request) => {
            assert!(method != Method::CONNECT && protocol.is_none());
            Vec::new()
        }
        Ok(Opening::WebSocket { subprotocols }) => {
            assert!(method == Method::CONNECT && protocol == Some("websocket") && !end_stream);
            assert!(uri.authority().is_some_and(|authority| !authority.as_str().contains('@')));
            assert!(matches!(uri.scheme_str(), Some("http" | "https")));
            assert_eq!(request["sec-websocket-version"], "13");
            assert!(!request.contains_key("content-length"));
            assert!(subprotocols.iter().all(|token| !token.is_empty() && token.is_ascii()));
            subprotocols
        }
        Err(refused) => {
            assert!(matches!(refused.status.as_u16(), 400 | 501));
            assert!(refused.text.len() < 400 && !refused.text.contains(['\n', '\r', '\0', '\u{1b}']));
            if refused.refusal == Refusal::Version {
                assert_eq!(refused.headers["sec-websocket-version"], "13");
            }
            Vec::new()
        }
    };

    let plain = response_headers(answer.clone());
    assert!(NEVER_OVER_HTTP2.iter().all(|name| !plain.contains_key(*name)));
    let by_hand = answer.keys().any(|name| name.as_str().starts_with("sec-websocket-"));
    match accept_headers(answer, &offered, chosen) {
        Ok(headers) => {
            assert!(!by_hand);
            assert!(NEVER_OVER_HTTP2.iter().all(|name| !headers.contains_key(*name)));
            assert!(!headers.contains_key("content-length"));
            match (chosen, headers.get("sec-websocket-protocol")) {
                (Some(chosen), Some(sent)) => assert!(sent == chosen && offered.contains(&chosen)),
                (None, None) => {}
                other => panic!("{other:?}"),
            }
        }
        Err(text) => assert!(by_hand || chosen.is_some_and(|chosen| !offered.contains(&chosen)), "{text}"),
    }
});
