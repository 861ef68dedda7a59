//! What a WebSocket handshake over HTTP/2 has to look like (RFC 8441 §4, §5), and what its answer may carry.
//!
//! What HTTP/2 itself forbids (a missing path, doubled pseudo-headers, connection fields) never comes here.

use super::fields::{self, CONNECTION_SPECIFIC};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

/// The only `:protocol` (RFC 8441 §5); names of protocols are compared as they are (RFC 8441 §4).
const WEBSOCKET: &str = "websocket";
/// The only version of the WebSocket protocol (RFC 6455 §4.1).
const VERSION: &str = "13";
/// How much of a peer's value a refusal repeats, characters.
const QUOTED: usize = 32;

/// Which rule refused a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// `:authority` is missing, empty, has user information, or is not what `host` says.
    Authority,
    /// `:scheme` is neither `http` nor `https`.
    Scheme,
    /// A `:protocol` other than `websocket`.
    Protocol,
    /// Not exactly one `sec-websocket-version: 13`.
    Version,
    /// A body was announced, the stream was ended, or a field does not follow its grammar.
    Malformed,
    /// CONNECT without `:protocol`: a tunnel, which this server is not.
    PlainConnect,
}

/// How a CONNECT is refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The rule.
    pub refusal: Refusal,
    /// 400 or 501.
    pub status: StatusCode,
    /// The fields of the response.
    pub headers: HeaderMap,
    /// One line, for the log and for the body.
    pub text: String,
}

/// What a request opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening<'a> {
    /// An ordinary exchange.
    Request,
    /// A WebSocket, if the host accepts it.
    WebSocket {
        /// What the client offers, in its order of preference.
        subprotocols: Vec<&'a str>,
    },
}

impl Refused {
    fn new(refusal: Refusal, status: StatusCode, text: String) -> Self {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        Self { refusal, status, headers, text }
    }

    pub(super) fn bad_request(refusal: Refusal, text: impl Into<String>) -> Self {
        Self::new(refusal, StatusCode::BAD_REQUEST, text.into())
    }

    fn not_implemented(refusal: Refusal, text: impl Into<String>) -> Self {
        Self::new(refusal, StatusCode::NOT_IMPLEMENTED, text.into())
    }
}

/// Judges a request. `protocol` is its `:protocol`, `end_stream` whether its HEADERS ended the stream.
///
/// `sec-websocket-key` and `sec-websocket-accept` are not looked at (RFC 8441 §5).
///
/// # Errors
/// The answer to give instead.
#[allow(clippy::result_large_err)] // once a refused handshake, and moved into the response at once
pub fn open<'a>(
    method: &Method,
    uri: &Uri,
    headers: &'a HeaderMap,
    protocol: Option<&str>,
    end_stream: bool,
) -> Result<Opening<'a>, Refused> {
    match (*method == Method::CONNECT, protocol) {
        (false, None) => {
            check_host(uri, headers)?;
            return Ok(Opening::Request);
        }
        (false, Some(_)) => return Err(Refused::bad_request(Refusal::Malformed, ":protocol without CONNECT")),
        (true, None) => {
            return Err(Refused::not_implemented(Refusal::PlainConnect, "CONNECT without :protocol: no tunnels here"));
        }
        // RFC 9220 §3 gives the status; RFC 8441 names none.
        (true, Some(protocol)) if protocol != WEBSOCKET => {
            let text = format!(":protocol is {}; only {WEBSOCKET} is served", quoted(protocol.as_bytes()));
            return Err(Refused::not_implemented(Refusal::Protocol, text));
        }
        (true, Some(_)) => {}
    }
    if end_stream {
        return Err(Refused::bad_request(Refusal::Malformed, "the CONNECT request ended its stream"));
    }
    // CONNECT has no content (RFC 9110 §9.3.6); HTTP/2 would hold the socket's DATA against this length.
    if headers.contains_key(CONTENT_LENGTH) {
        return Err(Refused::bad_request(Refusal::Malformed, "content-length on a CONNECT request"));
    }
    // The authority first: `http::Uri` holds no scheme without one, so h2 drops it.
    check_authority(uri, headers)?;
    check_scheme(uri)?;
    check_version(headers)?;
    Ok(Opening::WebSocket { subprotocols: subprotocols(headers)? })
}

/// The fields that go with the 200 that accepts a WebSocket: the host's `headers` and the `chosen` one of
/// the `offered` subprotocols. What HTTP/2 or a 2xx to CONNECT does not allow is left out: connection-specific
/// fields (RFC 9113 §8.2.2), content-length (RFC 9110 §8.6).
///
/// # Errors
/// Says what the host did wrong: a subprotocol that was not offered (RFC 6455 §4.2.2), or a
/// `sec-websocket-*` field, which only the engine may set.
pub fn accept_headers(headers: HeaderMap, offered: &[&str], chosen: Option<&str>) -> Result<HeaderMap, String> {
    if let Some(name) = headers.keys().find(|name| name.as_str().starts_with("sec-websocket-")) {
        return Err(if *name == SEC_WEBSOCKET_PROTOCOL {
            format!("{name} may not be set as a header field; choose the subprotocol")
        } else {
            format!("{name} may not be set as a header field; it is h2ws's to set or to leave out")
        });
    }
    let mut headers = response_headers(headers);
    headers.remove(CONTENT_LENGTH);
    if let Some(chosen) = chosen {
        if !offered.contains(&chosen) {
            return Err(format!(
                "subprotocol {} was not offered; the client offered {}",
                quoted(chosen.as_bytes()),
                if offered.is_empty() { "none".to_owned() } else { quoted(offered.join(", ").as_bytes()) }
            ));
        }
        let value = HeaderValue::from_str(chosen)
            .map_err(|_| format!("subprotocol {} is no header value", quoted(chosen.as_bytes())))?;
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    Ok(headers)
}

/// The fields of any response, without those that HTTP/2 does not allow (RFC 9113 §8.2.2): the
/// connection-specific ones, `te`, and what `connection` names (RFC 9110 §7.6.1).
pub fn response_headers(mut headers: HeaderMap) -> HeaderMap {
    // most have none: a look at the few that there are costs less than to search for each
    if !headers.keys().any(|name| CONNECTION_SPECIFIC.contains(name)) {
        return headers;
    }
    let named: Vec<HeaderName> = fields::elements(&headers, &http::header::CONNECTION)
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    for name in CONNECTION_SPECIFIC.iter().chain(&named) {
        headers.remove(name);
    }
    headers
}

#[allow(clippy::result_large_err)]
fn check_scheme(uri: &Uri) -> Result<(), Refused> {
    match uri.scheme_str() {
        Some("http" | "https") => Ok(()),
        Some(other) => Err(Refused::bad_request(
            Refusal::Scheme,
            format!(":scheme is {}; it must be http or https", quoted(other.as_bytes())),
        )),
        None => Err(Refused::bad_request(Refusal::Scheme, ":scheme is missing")),
    }
}

#[allow(clippy::result_large_err)]
fn check_authority(uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let refuse = |text: &str| Err(Refused::bad_request(Refusal::Authority, text));
    let Some(authority) = uri.authority() else {
        return refuse(":authority is missing or empty");
    };
    if authority.as_str().contains('@') {
        return refuse(":authority has user information");
    }
    if host_and_port(authority, default_port(uri)).is_none() {
        return refuse(":authority is not a host with an optional port");
    }
    check_host(uri, headers)
}

/// Whoever goes by the one and whoever goes by the other have to mean the same (RFC 9113 §8.3.1). Without an authority
/// `host` stands in for it.
#[allow(clippy::result_large_err)]
fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let refuse = |text: &str| Err(Refused::bad_request(Refusal::Authority, text));
    let mut hosts = headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else { return Ok(()) };
    if hosts.next().is_some() {
        return refuse("more than one host field");
    }
    let Some(authority) = uri.authority() else { return Ok(()) };
    let target = |of: &Authority| host_and_port(of, default_port(uri));
    let said = Authority::try_from(host.as_bytes()).ok().and_then(|host| target(&host));
    if said.is_some() && said == target(authority) { Ok(()) } else { refuse("host is not what :authority says") }
}

fn default_port(uri: &Uri) -> u16 {
    if uri.scheme_str() == Some("https") { 443 } else { 80 }
}

/// What two spellings of one target have in common (RFC 9110 §4.2.3): letter case and the default port
/// make no difference.
fn host_and_port(authority: &Authority, default_port: u16) -> Option<(String, u16)> {
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host)? {
        "" | ":" => default_port,
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!host.is_empty()).then(|| (host.to_ascii_lowercase(), port))
}

#[allow(clippy::result_large_err)]
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), Refused> {
    let mut versions = headers.get_all(SEC_WEBSOCKET_VERSION).iter();
    let text = match (versions.next(), versions.next()) {
        (Some(version), None) if version == VERSION => return Ok(()),
        (Some(version), None) => format!("sec-websocket-version is {}; it must be 13", quoted(version.as_bytes())),
        (Some(_), Some(_)) => "more than one sec-websocket-version; it must be 13".to_owned(),
        (None, _) => "sec-websocket-version is missing; it must be 13".to_owned(),
    };
    // Not 426: that needs an Upgrade field (RFC 9110 §15.5.22), which HTTP/2 forbids.
    let mut refused = Refused::bad_request(Refusal::Version, text);
    refused.headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    Err(refused)
}

/// All lines are one list (RFC 9110 §5.3) of unique, non-empty tokens (RFC 6455 §4.1, 10).
#[allow(clippy::result_large_err)]
pub(super) fn subprotocols(headers: &HeaderMap) -> Result<Vec<&str>, Refused> {
    let refuse = |text: &str| Refused::bad_request(Refusal::Malformed, text);
    let list: Vec<&str> = fields::elements(headers, &SEC_WEBSOCKET_PROTOCOL)
        .map(fields::token)
        .collect::<Option<_>>()
        .ok_or_else(|| refuse("sec-websocket-protocol is not a list of tokens"))?;
    let mut sorted = list.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(refuse("sec-websocket-protocol names a subprotocol twice"));
    }
    Ok(list)
}

/// A peer's or host's value for a log line: quoted, escaped, cut.
fn quoted(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    let mut short: String = value.chars().take(QUOTED).collect();
    if short.len() < value.len() {
        short.push_str("...");
    }
    format!("{short:?}")
}
