//! RFC 8441 handshakes: request in, opening or refusal out.

use super::super::connect::{Opening, Refusal, Refused, accept_headers, open, response_headers};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

/// The handshake of RFC 8441 §5.1, one thing changed at a time.
struct Handshake {
    method: Method,
    uri: &'static str,
    protocol: Option<&'static str>,
    fields: Vec<(&'static str, &'static str)>,
    end_stream: bool,
}

impl Default for Handshake {
    fn default() -> Self {
        Self {
            method: Method::CONNECT,
            uri: "https://server.example.com/chat",
            protocol: Some("websocket"),
            fields: vec![("sec-websocket-version", "13"), ("origin", "http://www.example.com")],
            end_stream: false,
        }
    }
}

impl Handshake {
    fn uri(uri: &'static str) -> Self {
        Self { uri, ..Self::default() }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.fields.push((name, value));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|field| field.0 != name);
        self
    }

    #[allow(clippy::result_large_err)]
    /// What is offered, or the refusal; the text of each refusal is one line.
    fn open(&self) -> Result<Option<Vec<String>>, Refused> {
        let uri: Uri = self.uri.parse().expect("a URI");
        let opened =
            open(&self.method, &uri, &fields(&self.fields), self.protocol, self.end_stream).map(
                |opening| match opening {
                    Opening::Request => None,
                    Opening::WebSocket { subprotocols } => Some(subprotocols.into_iter().map(str::to_owned).collect()),
                },
            );
        if let Err(refused) = &opened {
            assert!(!refused.text.is_empty() && !refused.text.contains('\n'), "one line: {:?}", refused.text);
            assert_eq!(refused.headers["content-type"], "text/plain; charset=utf-8");
        }
        opened
    }

    fn opens(&self) -> Vec<String> {
        self.open().expect("a good handshake").expect("a WebSocket")
    }

    fn refused(&self, refusal: Refusal, status: u16) -> Refused {
        let refused = self.open().expect_err("to be refused");
        assert_eq!((refused.refusal, refused.status.as_u16()), (refusal, status), "{}", refused.text);
        refused
    }
}

fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect::<Vec<_>>()
        .into_iter()
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
}

#[test]
fn rfc8441_5_1_the_example_opens_a_websocket() {
    let example = Handshake::default()
        .with("sec-websocket-extensions", "permessage-deflate")
        .with("sec-websocket-protocol", "chat, superchat");
    assert_eq!(example.opens(), ["chat", "superchat"]);
    assert_eq!(Handshake::uri("http://server.example.com/").opens(), [""; 0]);
}

#[test]
fn an_ordinary_request_is_one_whatever_its_fields() {
    for method in [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS] {
        let request = Handshake { method, protocol: None, ..Handshake::default() }
            .with("content-length", "3")
            .with("upgrade-insecure-requests", "1");
        assert!(matches!(request.open(), Ok(None)));
    }
}

#[test]
fn rfc8441_4_protocol_without_connect_is_malformed() {
    Handshake { method: Method::GET, ..Handshake::default() }.refused(Refusal::Malformed, 400);
}

#[test]
fn rfc9113_8_5_a_plain_connect_is_no_tunnel() {
    Handshake { protocol: None, uri: "server.example.com:443", ..Handshake::default() }
        .refused(Refusal::PlainConnect, 501);
}

#[test]
fn rfc9220_3_an_unknown_protocol_is_not_implemented() {
    for protocol in ["connect-udp", "webtransport", "WebSocket", "websocket ", "websocket2", ""] {
        let refused = Handshake { protocol: Some(protocol), ..Handshake::default() }.refused(Refusal::Protocol, 501);
        assert!(refused.text.contains(protocol), "{}", refused.text);
    }
}

#[test]
fn a_peers_value_is_escaped_and_cut_in_the_text() {
    let refused =
        Handshake { protocol: Some("a\r\nb\u{1b}[0m"), ..Handshake::default() }.refused(Refusal::Protocol, 501);
    assert!(refused.text.contains(r"a\r\nb\u{1b}[0m"), "{}", refused.text);
    static LONG: [u8; 5000] = [b'x'; 5000];
    let long = std::str::from_utf8(&LONG).expect("ASCII");
    let refused = Handshake { protocol: Some(long), ..Handshake::default() }.refused(Refusal::Protocol, 501);
    assert!(refused.text.len() < 120, "{}", refused.text);
}

#[test]
fn rfc8441_5_the_authority_is_required() {
    // What h2 gives for a request without :authority: no scheme either.
    let refused = Handshake::uri("/chat").refused(Refusal::Authority, 400);
    assert!(refused.text.contains("missing"), "{}", refused.text);
}

#[test]
fn rfc8441_5_the_scheme_is_http_or_https() {
    let refused = Handshake::uri("wss://server.example.com/chat").refused(Refusal::Scheme, 400);
    assert!(refused.text.contains("wss"), "{}", refused.text);
    Handshake::uri("server.example.com").refused(Refusal::Scheme, 400);
    Handshake::uri("ftp://server.example.com/chat").refused(Refusal::Scheme, 400);
    assert!(Handshake::uri("HTTPS://server.example.com/chat").open().is_ok(), "schemes have no case");
}

#[test]
fn rfc9113_8_3_1_the_authority_has_no_user_information() {
    for uri in ["https://user@server.example.com/", "https://user:password@server.example.com/", "https://@a/"] {
        let refused = Handshake::uri(uri).refused(Refusal::Authority, 400);
        assert!(!refused.text.contains("password"), "{}", refused.text);
    }
}

#[test]
fn rfc9113_8_3_1_the_authority_is_a_host_with_an_optional_port() {
    for uri in ["https://a:8443/", "https://a:/", "https://127.0.0.1:1/", "https://[::1]/", "https://[::1]:65535/"] {
        assert!(Handshake::uri(uri).open().is_ok(), "{uri}");
    }
    for uri in ["https://a:65536/", "https://a:99999999/"] {
        Handshake::uri(uri).refused(Refusal::Authority, 400);
    }
}

#[test]
fn rfc9113_8_3_1_host_must_say_what_the_authority_says() {
    let same = [
        ("https://a.example/", "a.example"),
        ("https://a.example/", "A.Example"),
        ("https://a.example/", "a.example:443"),
        ("https://a.example:443/", "a.example"),
        ("http://a.example/", "a.example:80"),
        ("https://a.example:8443/", "a.example:8443"),
        ("https://[::1]:8443/", "[::1]:8443"),
    ];
    for (uri, host) in same {
        assert!(Handshake::uri(uri).with("host", host).open().is_ok(), "{uri} {host}");
    }
    let different = [
        ("https://a.example/", "b.example"),
        ("https://a.example/", "a.example:80"),
        ("http://a.example/", "a.example:443"),
        ("https://a.example:8443/", "a.example"),
        ("https://a.example/", "user@a.example"),
        ("https://a.example/", "a.example, a.example"),
        ("https://a.example/", ""),
    ];
    for (uri, host) in different {
        Handshake::uri(uri).with("host", host).refused(Refusal::Authority, 400);
    }
    Handshake::default()
        .with("host", "server.example.com")
        .with("host", "server.example.com")
        .refused(Refusal::Authority, 400);
}

#[test]
fn rfc6455_4_2_1_the_version_is_13_once() {
    let wrong = [
        Handshake::default().without("sec-websocket-version"),
        Handshake::default().without("sec-websocket-version").with("sec-websocket-version", "8"),
        Handshake::default().without("sec-websocket-version").with("sec-websocket-version", "013"),
        Handshake::default().without("sec-websocket-version").with("sec-websocket-version", "13, 8"),
        Handshake::default().without("sec-websocket-version").with("sec-websocket-version", ""),
        Handshake::default().with("sec-websocket-version", "13"),
    ];
    for handshake in wrong {
        let refused = handshake.refused(Refusal::Version, 400);
        assert_eq!(refused.headers["sec-websocket-version"], "13", "the version that would do");
        assert!(!refused.headers.contains_key("upgrade"), "no Upgrade over HTTP/2 (RFC 9113 §8.2.2)");
    }
}

#[test]
fn rfc9110_9_3_6_a_content_length_on_connect_is_malformed() {
    for length in ["0", "5"] {
        Handshake::default().with("content-length", length).refused(Refusal::Malformed, 400);
    }
}

#[test]
fn rfc9113_8_5_a_connect_that_ends_its_stream_is_malformed() {
    Handshake { end_stream: true, ..Handshake::default() }.refused(Refusal::Malformed, 400);
}

#[test]
fn rfc8441_5_key_and_accept_are_not_looked_at() {
    let keyed = Handshake::default().with("sec-websocket-key", "no base64").with("sec-websocket-accept", "?");
    assert!(keyed.open().is_ok());
}

#[test]
fn rfc6455_4_1_subprotocols_are_one_list_of_unique_tokens() {
    let offers = Handshake::default().with("sec-websocket-protocol", "b, a").with("sec-websocket-protocol", "\tc ");
    assert_eq!(offers.opens(), ["b", "a", "c"], "all lines, in order");
    for bad in ["a b", "a,,b", "", ",", "a,", "\"a\"", "a/b", "a, a", "v1;q=1"] {
        Handshake::default().with("sec-websocket-protocol", bad).refused(Refusal::Malformed, 400);
    }
    Handshake::default()
        .with("sec-websocket-protocol", "a")
        .with("sec-websocket-protocol", "a")
        .refused(Refusal::Malformed, 400);
}

#[test]
fn a_refusal_is_a_final_status() {
    for handshake in [
        Handshake { end_stream: true, ..Handshake::default() },
        Handshake { protocol: None, ..Handshake::default() },
        Handshake::default().without("sec-websocket-version"),
    ] {
        let status = handshake.open().expect_err("to be refused").status;
        assert!(status.is_client_error() || status.is_server_error(), "{status}");
        assert_ne!(status, StatusCode::UPGRADE_REQUIRED, "426 needs an Upgrade field (RFC 9110 §15.5.22)");
    }
}

#[test]
fn rfc6455_4_2_2_the_subprotocol_is_one_of_those_offered() {
    let accepted = accept_headers(HeaderMap::new(), &["chat", "superchat"], Some("superchat")).expect("was offered");
    assert_eq!(accepted["sec-websocket-protocol"], "superchat");
    let none = accept_headers(HeaderMap::new(), &["chat"], None).expect("none need be chosen");
    assert!(none.is_empty());
    let refused = accept_headers(HeaderMap::new(), &["chat", "superchat"], Some("other")).expect_err("not offered");
    assert!(refused.contains("other") && refused.contains("chat, superchat"), "{refused}");
    let refused = accept_headers(HeaderMap::new(), &[], Some("chat")).expect_err("nothing was offered");
    assert!(refused.contains("none"), "{refused}");
    accept_headers(HeaderMap::new(), &["Chat"], Some("chat")).expect_err("subprotocols have case");
}

#[test]
fn rfc8441_5_the_host_sets_no_sec_websocket_field() {
    for name in ["accept", "key", "protocol", "extensions", "version"] {
        let name = format!("sec-websocket-{name}");
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::try_from(&name).expect("a name"), HeaderValue::from_static("x"));
        let refused = accept_headers(headers, &["x"], Some("x")).expect_err("set by hand");
        assert!(refused.contains(&name), "{refused}");
    }
}

const CONNECTION_SPECIFIC: [(&str, &str); 7] = [
    ("connection", "close, X-Hop"),
    ("x-hop", "1"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "websocket"),
    ("te", "trailers"),
];

#[test]
fn rfc9113_8_2_2_connection_specific_fields_are_left_out() {
    let mut given = fields(&CONNECTION_SPECIFIC);
    for (name, value) in [("content-length", "5"), ("set-cookie", "a=1"), ("set-cookie", "b=2")] {
        given.append(name, HeaderValue::from_static(value));
    }
    let kept = response_headers(given.clone());
    assert_eq!(kept, fields(&[("content-length", "5"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]));

    // RFC 9110 §8.6: no content-length in a 2xx to CONNECT.
    let accepted = accept_headers(given, &[], None).expect("nothing wrong");
    assert_eq!(accepted, fields(&[("set-cookie", "a=1"), ("set-cookie", "b=2")]));
}

#[test]
fn a_connection_field_that_names_nothing_valid_does_no_harm() {
    let mut headers = HeaderMap::new();
    headers.insert("connection", HeaderValue::from_bytes(b", \xff\xfe,a b,close").expect("opaque bytes are allowed"));
    headers.insert("x-kept", HeaderValue::from_static("1"));
    assert_eq!(response_headers(headers), fields(&[("x-kept", "1")]));
}
